import type { Credential } from "../auth/bearer.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { type CallOutcome, type CallRequest, runCall } from "../gate/gate.ts";
import { lazily } from "../lazily.ts";
import { follow } from "../runs/doors.ts";
import type { Handle } from "../runs/wire.ts";
import type { CallEvent } from "../tools/define.ts";
import type { Exchange } from "./exchange.ts";

const rounds = lazily(() => import("./elicit/rounds.ts"));

/** Who sent a message, and what it is known by. */
export interface Sender {
  credential: Credential;
  requestId: string;
  client?: string;
  /** What the client's own ids count in: its session, or else the client. */
  within?: string;
  id: unknown;
  /** Aborted when the client has gone. */
  left: AbortSignal;
}

/** The way of one message's calls to the gate. `ended` is told how a call ended that was not handed over. */
export function callsOf(
  env: Env,
  ctx: Pick<ExecutionContext, "waitUntil">,
  { credential, requestId, client, within = client, id, left }: Sender,
  ended: (outcome: CallOutcome) => void = () => {},
): Exchange["call"] {
  return async ({ asks, ...call }) => {
    const asked = { ...call, credential, via: "mcp" as const, requestId, ...(client ? { client } : {}) };
    const { streams, cancellable } = call.tool;
    const run = (request: CallRequest) =>
      streams || cancellable ? long(env, request, left, aliasOf(credential, within, id)) : runCall(env, ctx, request);
    const outcome = asks
      ? await (await rounds()).inRounds(env, asked, asks, (more) => run({ ...asked, ...more }))
      : await run(asked);
    if ("ok" in outcome) ended(outcome);
    return outcome;
  };
}

/**
 * Runs a call that may take long where it goes on when this request has ended. A client that closes the connection has left:
 * what it was streamed is read to the end while that is cheap, else cut.
 */
async function long(env: Env, call: CallRequest, left: AbortSignal, alias: string): Promise<CallOutcome | Handle> {
  const { emit, tool, ...rest } = call;
  const request = { ...rest, tool: tool.name, as: "lines" as const, streamed: emit !== undefined, alias };
  const pass = emit && ((event: CallEvent) => void emit(event));
  try {
    const followed = await follow(env, request, left, pass);
    return "handle" in followed ? followed.handle : followed.outcome;
  } catch (error) {
    if (!(error instanceof WaypostError)) throw error;
    return { ok: false, callId: "", costNano: 0, error };
  }
}

/** What a client of 2025 calls a request of its own. Its ids are its own: so who it is belongs to the name. */
export const aliasOf = ({ caller }: Credential, within: string | undefined, id: unknown): string =>
  JSON.stringify(["verified" in caller ? caller.verified.id : caller.keyHash, within, id]);
