import { Buffer } from "node:buffer";
import { type InputRequiredResult, inputRequired } from "@modelcontextprotocol/server";
import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import { type CallOutcome, type CallRequest, identify } from "../../gate/gate.ts";
import { openState, sealState } from "../../gate/seal.ts";
import type { Handle } from "../../runs/wire.ts";
import type { Question } from "../../tools/confirm.ts";
import { canonicalJson } from "../../vault/canonical.ts";
import { refusal } from "../exchange.ts";
import { ownerOf } from "../sessions/wire.ts";
import { type Asks, DECISION } from "./asks.ts";
import { formOf, questionOf, saidIn } from "./question.ts";

/** A person has this long to decide. */
export const DECIDE_MS = 15 * 60_000;

interface Open {
  /** Of this question alone. */
  id: string;
  question: Question;
}

type Asked = Pick<CallRequest, "tool" | "input" | "idempotencyKey" | "credential" | "requestId">;
type Ran = CallOutcome | Handle;

/** A call goes on when a person has answered. */
export interface Round {
  asks: InputRequiredResult;
}

/**
 * A call in rounds: a tool that leaves a decision to a person ends with its question, the client asks, and the call is
 * repeated with the answer. What is kept between rounds is with the client, sealed for whoever asked, for the same input and
 * idempotency key. A yes counts once: without a key of its own the call takes the question's, so a repetition is told the
 * first result and does nothing.
 * @throws ProtocolError `question_closed` for a state that is over, altered or another's
 */
export async function inRounds(
  env: Env,
  call: Asked,
  { state, response }: Asks,
  run: (more: Pick<CallRequest, "asked" | "idempotencyKey">) => Promise<Ran>,
): Promise<Ran | Round> {
  const { credential, idempotencyKey } = call;
  const open = state === undefined ? undefined : await opened(env, call, state);
  const said = open && saidIn(open.question, response);
  const key = idempotencyKey ?? (open && said?.accepted ? `decision:${open.id}` : undefined);
  const outcome = await run({
    asked: { canAsk: true, ...(said ? { said } : {}) },
    ...(key === undefined ? {} : { idempotencyKey: key }),
  });
  const question = "ok" in outcome ? questionOf(outcome) : undefined;
  if (!question) return outcome;
  const asked: Open = { id: crypto.randomUUID(), question };
  const requestState = await sealState(env, credential.account, asked, await boundTo(call), DECIDE_MS);
  return { asks: inputRequired({ inputRequests: { [DECISION]: formOf(question) }, requestState }) };
}

async function opened(env: Env, call: Asked, state: string): Promise<Open> {
  const { credential, requestId } = call;
  const open = await openState<Open>(env, credential.account, state, await boundTo(call));
  if (open) return open;
  await identify(env, credential);
  const detail = "`requestState` is over, was altered, or belongs to another caller or another call.";
  throw refusal(new WaypostError("question_closed", detail), requestId);
}

async function boundTo({ credential, tool, input, idempotencyKey }: Asked): Promise<string> {
  const body = new TextEncoder().encode(canonicalJson(input));
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", body)).toString("hex");
  return JSON.stringify([ownerOf(credential), tool.name, digest, idempotencyKey ?? null]);
}
