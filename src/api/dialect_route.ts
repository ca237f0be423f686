import type { Context } from "hono";
import { WaypostError } from "../errors.ts";
import { readJson } from "../gate/body.ts";
import { type AdmittedFacts, type CallOutcome, type CallRequest, identify, runCall } from "../gate/gate.ts";
import { errorHeaders, outcomeHeaders, requestIdOf, setRateHeaders } from "../gate/headers.ts";
import { readCredential } from "../gate/identify.ts";
import { logFailure } from "../gate/log.ts";
import type { Http } from "../gate/route.ts";
import type { WindowState } from "../ledger/types.ts";
import { dialects } from "../models/dialects/dialects.ts";
import type { Dialect } from "../models/dialects/types.ts";
import type { DialectReply, Tool } from "../tools/define.ts";
import type { Place } from "../tools/places.ts";
import { keepAliveMs } from "../tools/stream_times.ts";
import { byteStream } from "./dialect_stream.ts";

/** The handler of a tool that speaks another API's words: that API's requests in, the gate, its answers and errors out. */
export function dialectRoute(place: Place): (c: Context<Http>) => Promise<Response> {
  const dialect = dialects[place.dialect === "anthropic" ? "anthropic-messages" : "openai-chat"];
  return async (c) => {
    const requestId = requestIdOf(c.req.raw.headers);
    try {
      return await serve(c, await place.load(), dialect, requestId);
    } catch (thrown) {
      return refusal(dialect, asError(thrown, requestId), requestId, {});
    }
  };
}

async function serve(c: Context<Http>, tool: Tool, dialect: Dialect, requestId: string): Promise<Response> {
  const { headers, signal } = c.req.raw;
  const credential = await readCredential(c.req.raw, c.env, "v1", requestId);
  const input = await readJson(c.req.raw, () => identify(c.env, credential));
  const idempotencyKey = headers.get("idempotency-key");
  const client = headers.get("user-agent")?.slice(0, 100);
  const betas = tool.dialect === "anthropic" ? betasIn(headers) : undefined;
  const call: CallRequest = {
    tool,
    input,
    credential,
    via: "rest",
    requestId,
    ...(client ? { client } : {}),
    ...(betas === undefined ? {} : { betas }),
    ...(idempotencyKey === null ? {} : { idempotencyKey }),
  };
  const plain = (outcome: CallOutcome) => answer(dialect, outcome, requestId);
  if ((input as { stream?: unknown } | null)?.stream !== true) return plain(await runCall(c.env, c.executionCtx, call));
  const stream = byteStream(keepAliveMs(c.env));
  const streamHeaders = idHeaders(requestId);
  const admitted = (windows: WindowState[], { callId, replayed }: AdmittedFacts) => {
    setRateHeaders(streamHeaders, windows);
    streamHeaders["X-Waypost-Call-Id"] = callId;
    if (!replayed) stream.admitted();
  };
  const events = (outcome: CallOutcome) => eventsOf(tool, dialect, outcome, input);
  const outcome = runCall(c.env, c.executionCtx, { ...call, emit: stream.emit, left: signal, admitted });
  return stream.response(outcome, { plain, events, headers: streamHeaders });
}

/** @throws WaypostError `invalid_header` for what is no list of names */
function betasIn(headers: Headers): string | undefined {
  const betas = headers.get("anthropic-beta") ?? undefined;
  if (betas === undefined || /^[\w.:-]{1,100}(?: ?, ?[\w.:-]{1,100}){0,49}$/.test(betas)) return betas;
  throw new WaypostError("invalid_header", "anthropic-beta is a list of names, with commas between them.");
}

/** The whole of an answer of which nothing was streamed, as events. */
function eventsOf(tool: Tool, dialect: Dialect, outcome: CallOutcome, input: unknown): string {
  if (!outcome.ok) {
    const request = input as Record<string, unknown>;
    const id = outcome.callId.replace(/^\w+?_/, "");
    const facts = {
      id,
      model: String(request.model),
      created: Math.floor(Date.now() / 1_000),
      includeUsage: false,
      request,
    };
    const spoken = tool.name === "responses" ? dialects["openai-responses"] : dialect;
    return spoken.encodeStream(facts).fail(outcome.error);
  }
  const { contentType, body } = outcome.output as DialectReply;
  return contentType.startsWith("text/event-stream") ? body : `event: error\ndata: ${body}\n\n`;
}

function answer(dialect: Dialect, outcome: CallOutcome, requestId: string): Response {
  const headers = outcomeHeaders(outcome, requestId);
  if (!outcome.ok) return refusal(dialect, outcome.error, requestId, headers);
  const reply = outcome.output as DialectReply;
  Object.assign(headers, idHeaders(requestId), accountHeaders(outcome, reply), { "Content-Type": reply.contentType });
  return new Response(reply.body, { status: reply.status, headers });
}

/** What the chat tool tells in its answer, of an answer that is in another API's words. */
function accountHeaders({ callId, settlement }: CallOutcome, { model, why }: DialectReply): Record<string, string> {
  const headers: Record<string, string> = { "X-Waypost-Call-Id": callId };
  if (model !== undefined) headers["X-Waypost-Model"] = visible(model);
  if (why !== undefined) headers["X-Waypost-Why"] = visible(why);
  if (!settlement) return headers;
  const { priceVersion, left } = settlement;
  if (priceVersion !== null) headers["X-Waypost-Price-Version"] = visible(priceVersion);
  if (left.plan_tokens !== null) headers["X-Waypost-Plan-Tokens-Left"] = String(left.plan_tokens);
  headers["X-Waypost-Credit-Left-Nano-Usd"] = String(left.credit_nano);
  return headers;
}

/** What a header can carry. */
const visible = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, "?");

/** An error in the dialect's own words, with the headers its clients go by. */
function refusal(dialect: Dialect, error: WaypostError, requestId: string, headers: Record<string, string>): Response {
  const { status, headers: own, body } = dialect.encodeError(error, requestId);
  const all = new Headers({ ...errorHeaders(error), "Content-Type": "application/json", "Cache-Control": "no-store" });
  // Names that differ in case only must not end up twice.
  for (const more of [headers, own, idHeaders(requestId)]) for (const name in more) all.set(name, more[name] as string);
  return new Response(JSON.stringify(body), { status, headers: all });
}

/** The id of the request as OpenAI's clients look for it, and as Anthropic's do. */
const idHeaders = (requestId: string): Record<string, string> => ({
  "X-Request-Id": requestId,
  "Request-Id": requestId,
});

function asError(thrown: unknown, requestId: string): WaypostError {
  if (thrown instanceof WaypostError) return thrown;
  logFailure("api", requestId, thrown);
  return new WaypostError("internal", "Something failed that should not have.");
}
