import type { Credential } from "../auth/bearer.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import type { AdmitReply, CallFacts, Identity, Settlement, WindowState } from "../ledger/types.ts";
import { createModels } from "../models/catalogue.ts";
import type { Call, Principal, Tool } from "../tools/define.ts";
import { AdmittedCall, BilledFailure } from "./call.ts";
import { newId } from "./ids.ts";
import { type CallLog, logCall, logFailure } from "./log.ts";
import { scopeLink } from "./step_up.ts";
import { admitTo, ledgerOf, reach } from "./stores.ts";
import { validate } from "./validate.ts";

/** A call may take this long before it must have answered. Shorter than the ledger's lease. */
export const DEADLINE_MS = 120_000;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

export interface CallRequest {
  tool: Tool;
  input: unknown;
  credential: Credential;
  via: "mcp" | "rest";
  requestId: string;
  client?: string;
  idempotencyKey?: string;
  emit?: Call["emit"];
  /** Aborted when the client that reads along has left. */
  left?: AbortSignal;
  /** Told the state of the rate windows when the call is admitted, before it runs. */
  admitted?: (windows: WindowState[]) => void;
}

interface Common {
  callId: string;
  /** What the call cost, in nano-USD; a failed one costs nothing unless its tool says so. */
  costNano: number;
  /** What was posted when the call was settled; absent when nothing had to be. */
  settlement?: Settlement;
  /** State of the rate windows; absent when the caller was not identified. */
  windows?: WindowState[];
}
export type CallOutcome = Common &
  ({ ok: true; output: unknown; replayed: boolean } | { ok: false; error: WaypostError });

/**
 * The one way to a tool, for every door: identify, authorize, validate, admit, run, settle, log. Never rejects.
 * The work goes on when the client has gone (`waitUntil`), so what was admitted is always settled.
 */
export function runCall(
  env: Env,
  ctx: Pick<ExecutionContext, "waitUntil">,
  request: CallRequest,
): Promise<CallOutcome> {
  const startedAt = Date.now();
  const work = perform(env, request, startedAt).then(({ outcome, keyId }) => {
    log(ctx, request, outcome, keyId, startedAt);
    return outcome;
  });
  ctx.waitUntil(work);
  return work;
}

async function perform(
  env: Env,
  request: CallRequest,
  startedAt: number,
): Promise<{ outcome: CallOutcome; keyId?: string }> {
  const callId = newId("call");
  let principal: Principal | undefined;
  let outcome: CallOutcome;
  try {
    const { input, facts, quote } = await checked(env, request, callId);
    const reply = await reach("ledger", () =>
      admitTo(env, {
        ...facts,
        caller: request.credential.caller,
        scope: request.tool.scope,
        metered: request.tool.metered ?? false,
        ...(quote ? { hold: quote } : {}),
        ...(request.tool.reads ? { reads: request.tool.reads(input) } : {}),
      }),
    );
    if (reply.kind === "refused") throw refusalOf(reply, env, request.credential);
    principal = principalOf(reply.identity, request);
    request.admitted?.(reply.windows);
    if (reply.kind === "replay") {
      const { windows, costNano, settlement } = reply;
      const output = completed(request.tool, JSON.parse(reply.result), settlement, reply.callId);
      outcome = { ok: true, callId: reply.callId, windows, costNano, ...output, replayed: true };
    } else {
      const call = new AdmittedCall(env, {
        facts,
        principal,
        attempt: await attemptOf(facts, principal),
        ...(quote ? { hold: quote } : {}),
        ...(reply.grantedOutputTokens === undefined ? {} : { granted: reply.grantedOutputTokens }),
        answers: reply,
        deadline: startedAt + DEADLINE_MS,
        ...(request.emit ? { emit: request.emit } : {}),
        ...(request.left ? { left: request.left } : {}),
      });
      outcome = { ...(await runAndSettle(env, request, call, facts, input, startedAt)), windows: reply.windows };
    }
  } catch (error) {
    outcome = failureOf(error, callId, request.requestId);
  }
  return { outcome, ...(principal ? { keyId: principal.keyId } : {}) };
}

/** What can be refused before the ledger is asked. A caller who is not known learns that first, whatever was sent. */
async function checked(env: Env, request: CallRequest, callId: string) {
  try {
    const input = validate(request.tool.input, request.input);
    const facts = await factsOf(request, callId, input);
    return { input, facts, quote: request.tool.quote?.(input, createModels(env)) };
  } catch (error) {
    await identify(env, request.credential);
    throw error;
  }
}

/**
 * Who a credential belongs to, without counting a call.
 * @throws WaypostError `unauthenticated`, `key_expired`, `key_revoked`
 */
export async function identify(env: Env, credential: Credential): Promise<Identity> {
  const reply = await reach("ledger", () => ledgerOf(env, credential.account).identify(credential.caller));
  if (reply.kind === "refused") throw refusalOf(reply, env, credential);
  return reply.identity;
}

async function runAndSettle(
  env: Env,
  request: CallRequest,
  call: AdmittedCall,
  facts: CallFacts,
  input: unknown,
  startedAt: number,
): Promise<CallOutcome> {
  const { tool } = request;
  let output: unknown;
  let error: WaypostError | undefined;
  try {
    output = await tool.run(call, input);
  } catch (thrown) {
    error = asWaypostError(thrown, request.requestId);
  }
  let settlement: Settlement | undefined;
  const billed = !error || error instanceof BilledFailure ? call.charged : undefined;
  // A free call that succeeded was booked when it was admitted: nothing is left to settle.
  if (error || tool.metered || call.hold || facts.idempotency) {
    const settle = {
      ...facts,
      metered: tool.metered ?? false,
      keyId: call.principal.keyId,
      user: call.principal.user,
      durationMs: Date.now() - startedAt,
      ...(call.hold ? { hold: call.hold, model: call.hold.model } : {}),
      ...(billed ? { usage: billed.usage, model: billed.model, estimated: billed.estimated } : {}),
      ...(error ? { error: error.code } : {}),
      ...(facts.idempotency && !error ? { result: JSON.stringify(output) } : {}),
    };
    const posted = await reach("ledger", () => ledgerOf(env, facts.account).settle(settle), 4);
    if (posted.ok) settlement = posted.value;
  }
  const costNano = billed?.costNano ?? 0;
  if (error) return { ok: false, callId: call.id, costNano, error: costNano > 0 ? charged(error, costNano) : error };
  return { ok: true, callId: call.id, costNano, ...completed(tool, output, settlement, call.id), replayed: false };
}

/** The output with what its tool adds once the call is settled, for the first answer and for its repetitions. */
function completed(tool: Tool, output: unknown, settlement: Settlement | undefined, callId: string) {
  if (!settlement) return { output };
  return { output: tool.settled ? tool.settled(output, settlement, callId) : output, settlement };
}

/** A failure that cost something says how much, on every door and in a stream too. */
const charged = ({ code, detail, extras }: WaypostError, costNano: number): WaypostError =>
  new WaypostError(code, detail, { ...extras, charged_nano_usd: costNano });

async function factsOf(request: CallRequest, callId: string, input: unknown): Promise<CallFacts> {
  const { tool, credential, via, client, idempotencyKey } = request;
  const facts: CallFacts = { account: credential.account, callId, tool: tool.name, via, ...(client ? { client } : {}) };
  const session = tool.session?.(input);
  if (session !== undefined) facts.session = session;
  if (idempotencyKey === undefined) return facts;
  if (!IDEMPOTENCY_KEY.test(idempotencyKey)) {
    throw new WaypostError("invalid_header", "An idempotency key is 1 to 255 visible ASCII characters.");
  }
  if (tool.secretResult) {
    throw new WaypostError(
      "invalid_header",
      "This call takes no idempotency key: its result is shown once and never kept.",
    );
  }
  const inputHash = await sha256(`${tool.name}\n${JSON.stringify(input)}`);
  return { ...facts, idempotency: { key: idempotencyKey, inputHash } };
}

const attemptOf = async (facts: CallFacts, principal: Principal): Promise<string> =>
  facts.idempotency
    ? `at_${(await sha256(`${principal.keyId}\n${facts.idempotency.key}`)).slice(0, 32)}`
    : facts.callId;

function principalOf(identity: Identity, { via, client }: CallRequest): Principal {
  return { ...identity, via, ...(client ? { client } : {}) };
}

/** A ledger's refusal as the error a door shows; the windows ride along for the rate-limit headers. */
class Refused extends WaypostError {
  readonly windows: WindowState[] | undefined;

  constructor(reply: Extract<AdmitReply, { kind: "refused" }>) {
    super(reply.code, reply.detail, reply.extras);
    this.windows = reply.windows;
  }
}

function refusalOf(reply: Extract<AdmitReply, { kind: "refused" }>, env: Env, { caller }: Credential): Refused {
  const { extras = {} } = reply;
  const link =
    "verified" in caller && extras.required_scope ? scopeLink(env, caller.verified.id, extras.required_scope) : null;
  return new Refused(link ? { ...reply, extras: { ...extras, grant_scope_url: link } } : reply);
}

function failureOf(thrown: unknown, callId: string, requestId: string): CallOutcome {
  const error = asWaypostError(thrown, requestId);
  const windows = thrown instanceof Refused ? thrown.windows : undefined;
  return { ok: false, callId, costNano: 0, error, ...(windows ? { windows } : {}) };
}

function asWaypostError(thrown: unknown, requestId: string): WaypostError {
  if (thrown instanceof WaypostError) return thrown;
  logFailure("gate", requestId, thrown);
  return new WaypostError("internal", "Something failed that should not have.");
}

function log(
  ctx: Pick<ExecutionContext, "waitUntil">,
  request: CallRequest,
  outcome: CallOutcome,
  keyId: string | undefined,
  startedAt: number,
): void {
  const line: CallLog = {
    request_id: request.requestId,
    call_id: outcome.callId,
    account: request.credential.account,
    ...(keyId ? { key_id: keyId } : {}),
    via: request.via,
    tool: request.tool.name,
    status: outcome.ok ? "ok" : outcome.error.code,
    ...(outcome.ok && outcome.replayed ? { replayed: true } : {}),
    ...(outcome.costNano > 0 ? { cost_nano: outcome.costNano } : {}),
    duration_ms: Date.now() - startedAt,
  };
  logCall(line, (work) => ctx.waitUntil(work));
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
