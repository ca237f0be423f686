import type { Credential } from "../auth/bearer.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { keepable, wasTooLarge } from "../ledger/attempts.ts";
import { unbilled } from "../ledger/charge.ts";
import type {
  AdmitReply,
  AdmitRequest,
  CallFacts,
  Identity,
  KeptAnswer,
  Settlement,
  WindowState,
} from "../ledger/types.ts";
import { createModels } from "../models/catalogue.ts";
import type { Asked } from "../tools/confirm.ts";
import type { Call, Principal, Tool } from "../tools/define.ts";
import { nextAfter } from "../tools/next_calls.ts";
import { AdmittedCall, BilledFailure } from "./call.ts";
import { attemptOf, factsOf } from "./facts.ts";
import { newId } from "./ids.ts";
import { type CallLog, logCall, logFailure } from "./log.ts";
import { allowedAt, scopeLink } from "./step_up.ts";
import { admitNear, admitTo, type Background, ledgerOf, reachLedger, settleWith } from "./stores.ts";
import { began } from "./under_way.ts";
import { validate } from "./validate.ts";

/** A call may take this long before it must have answered. Shorter than the ledger's lease. */
export const DEADLINE_MS = 120_000;

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
  /** Aborted when the call itself is not wanted any more: it ends now, and what was produced is billed. */
  cancel?: AbortSignal;
  /** As in `Call`. */
  betas?: Call["betas"];
  keepIn?: Call["keepIn"];
  /** What the door knows of who can decide; absent: nobody can be asked. */
  asked?: Asked;
  /** Told the state of the rate windows and whose call it is when the call is admitted, before it runs. */
  admitted?: (windows: WindowState[], call: AdmittedFacts) => void;
}

export interface AdmittedFacts {
  /** Of a repeated call: that of the first one. */
  callId: string;
  principal: Principal;
  attempt: string;
  session?: string;
  /** The answer was kept: nothing runs. */
  replayed: boolean;
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
export function runCall(env: Env, ctx: Background, request: CallRequest): Promise<CallOutcome> {
  const startedAt = Date.now();
  const ended = began(request.credential.account);
  const begun = begin(env, ctx, request);
  const goOn = () => ctx.waitUntil(work);
  const work = perform(env, ctx, request, begun, startedAt, goOn).then(({ outcome, keyId }) => {
    ended();
    log(ctx, request, outcome, keyId, startedAt);
    return outcome;
  });
  // What is answered at once has ended before anybody can leave, and this costs as much as the answer.
  if (!(begun.near && request.tool.atOnce)) goOn();
  return work;
}

interface Begun {
  callId: string;
  /** What cannot be asked for, with the reason. */
  asked: ReturnType<typeof prepare> | { refused: unknown };
  /** The ledger's decision, where it could be had at once. */
  near?: AdmitReply | undefined;
}

function begin(env: Env, ctx: Background, request: CallRequest): Begun {
  const callId = newId("call");
  try {
    const asked = prepare(env, request, callId);
    return { callId, asked, near: admitNear(env, ctx, asked.admitting) };
  } catch (refused) {
    return { callId, asked: { refused } };
  }
}

async function perform(
  env: Env,
  ctx: Background,
  request: CallRequest,
  { callId, asked, near }: Begun,
  startedAt: number,
  goOn: () => void,
): Promise<{ outcome: CallOutcome; keyId?: string }> {
  let principal: Principal | undefined;
  let outcome: CallOutcome;
  try {
    if ("refused" in asked) {
      // A caller who is not known learns that first, whatever was sent.
      await identify(env, request.credential);
      throw asked.refused;
    }
    const { input, facts, quote, admitting } = asked;
    const reply = near ?? (await reachLedger(env, () => admitTo(env, admitting)));
    if (reply.kind === "refused") throw refusalOf(reply, env, request.credential);
    principal = principalOf(reply.identity, request);
    const attempt = attemptOf(facts, principal);
    request.admitted?.(reply.windows, {
      callId: reply.kind === "replay" ? reply.callId : callId,
      principal,
      attempt,
      replayed: reply.kind === "replay",
      ...(facts.session === undefined ? {} : { session: facts.session }),
    });
    if (reply.kind === "replay") {
      outcome = { ...replayOf(request.tool, reply), windows: reply.windows };
    } else {
      const hold = reply.preferred === undefined ? quote : undefined;
      const deadline = startedAt + DEADLINE_MS;
      const call = new AdmittedCall(env, ctx, { facts, principal, attempt, hold, reply, deadline, request });
      outcome = await runAndSettle(env, request, call, facts, input, startedAt, goOn);
      outcome.windows = reply.windows;
    }
  } catch (error) {
    outcome = failureOf(error, callId, request.requestId);
  }
  if (!outcome.ok && !request.tool.restOnly) outcome = { ...outcome, error: suggesting(outcome.error, request) };
  return principal ? { outcome, keyId: principal.keyId } : { outcome };
}

/** The call as the ledger will be asked for it; throws what can be refused before. */
function prepare(env: Env, request: CallRequest, callId: string) {
  const { tool, credential } = request;
  // What an agent plainly meant is taken; what a program manages accounts and money with must be exact.
  const input = validate(tool.input, request.input, tool.restOnly === true);
  const facts = factsOf(request, callId, input);
  const quote = tool.quote?.(input, createModels(env));
  const admitting: AdmitRequest = {
    ...facts,
    caller: credential.caller,
    scope: tool.scope,
    metered: tool.metered ?? false,
  };
  if (quote) admitting.hold = quote;
  if (tool.uncounted) admitting.uncounted = true;
  if (tool.reads) admitting.reads = tool.reads(input);
  if (tool.prefers?.(input)) admitting.prefers = true;
  return { input, facts, quote, admitting };
}

/**
 * Who a credential belongs to, without counting a call.
 * @throws WaypostError `unauthenticated`, `key_expired`, `key_revoked`
 */
export async function identify(env: Env, credential: Credential): Promise<Identity> {
  const reply = await reachLedger(env, () => ledgerOf(env, credential.account).identify(credential.caller));
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
  goOn: () => void,
): Promise<CallOutcome> {
  const { tool } = request;
  let output: unknown;
  let error: WaypostError | undefined;
  try {
    output = await tool.run(call, input);
  } catch (thrown) {
    error = asWaypostError(thrown, request.requestId);
  }
  call.ended();
  let settlement: Settlement | undefined;
  let billed = !error || error instanceof BilledFailure;
  // A free call that succeeded was booked when it was admitted: nothing is left to settle.
  if (error || tool.metered || call.hold || facts.idempotency) {
    const settle = {
      ...facts,
      metered: tool.metered ?? false,
      keyId: call.principal.keyId,
      user: call.principal.user,
      durationMs: Date.now() - startedAt,
      ...(call.keptIn === undefined ? {} : { session: call.keptIn }),
      ...(call.hold ? { hold: call.hold } : {}),
      items: billed ? call.items : unbilled(call.items),
      ...(error ? { error: error.code } : {}),
      ...(facts.idempotency && !error ? { result: keepable(JSON.stringify(output)) } : {}),
    };
    // It was not over at once, after all.
    if (tool.atOnce) goOn();
    const posted = await reachLedger(env, () => settleWith(env, settle), 4);
    if (posted.ok && posted.value.kept) return replayOf(tool, posted.value.kept);
    if (posted.ok) settlement = posted.value;
    if (!posted.ok && posted.code === "idempotency_conflict") {
      error = new WaypostError(posted.code, posted.detail);
      billed = false;
    }
  }
  const costNano = billed ? call.costNano : 0;
  if (error) return { ok: false, callId: call.id, costNano, error: costNano > 0 ? charged(error, costNano) : error };
  return { ok: true, callId: call.id, costNano, ...completed(tool, output, settlement, call.id), replayed: false };
}

/** The answer of the call that was charged for an idempotency key, for every other call that came with it. */
function replayOf(tool: Tool, { callId, result, costNano, settlement }: KeptAnswer): CallOutcome {
  if (wasTooLarge(result)) {
    const error = new WaypostError("idempotency_not_kept", `Call ${callId} was answered once, and its answer is gone.`);
    return { ok: false, callId, costNano: 0, error };
  }
  const output = completed(tool, JSON.parse(result), settlement, callId);
  return { ok: true, callId, costNano, ...output, replayed: true };
}

/** The output with what its tool adds once the call is settled, for the first answer and for its repetitions. */
function completed(tool: Tool, output: unknown, settlement: Settlement | undefined, callId: string) {
  if (!settlement) return { output };
  return { output: tool.settled ? tool.settled(output, settlement, callId) : output, settlement };
}

/** A failure that cost something says how much, on every door and in a stream too. */
const charged = ({ code, detail, extras }: WaypostError, costNano: number): WaypostError =>
  new WaypostError(code, detail, { ...extras, charged_nano_usd: costNano });

/** A failure of an agent's tool says which call helps, where one does. */
function suggesting(error: WaypostError, { tool, input }: CallRequest): WaypostError {
  const next = nextAfter(error.code, tool.name, input);
  return next.length > 0 ? new WaypostError(error.code, error.detail, { ...error.extras, next_calls: next }) : error;
}

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
  if (!link) return new Refused(reply);
  return new Refused({ ...reply, detail: allowedAt(reply.detail, link), extras: { ...extras, grant_scope_url: link } });
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
  ctx: Background,
  request: CallRequest,
  outcome: CallOutcome,
  keyId: string | undefined,
  startedAt: number,
): void {
  const line: CallLog = {
    event: "call",
    request_id: request.requestId,
    call_id: outcome.callId,
    account: request.credential.account,
    via: request.via,
    tool: request.tool.name,
    status: outcome.ok ? "ok" : outcome.error.code,
    duration_ms: Date.now() - startedAt,
  };
  if (keyId !== undefined) line.key_id = keyId;
  if (outcome.ok && outcome.replayed) line.replayed = true;
  if (outcome.costNano > 0) line.cost_nano = outcome.costNano;
  logCall(line, (work) => ctx.waitUntil(work));
}
