import { type ErrorCode, type Problem, toProblem, WaypostError } from "../errors.ts";
import { within } from "../time_limit.ts";
import { schemaIssues } from "./schema_issues.ts";

/**
 * The answers of the SDK made whole: held until it is known how they begin, and with the catalogue's word on what the
 * SDK refused by itself.
 */

const COMMENT = new TextEncoder().encode(": waiting\n\n");
const EVENT_STREAM = /^text\/event-stream/;
const UNFORESEEN = "Something failed that should not have.";

/**
 * Waits for the first bytes of an event stream, which tell a refused call from a running one while the status can still
 * be chosen. When the call is `over` by then, the rest is waited for too. `keepAliveMs`: silence after which a comment is
 * sent, for a client that leaves is only missed when something is written to it.
 */
export async function begun(response: Response, over: () => boolean, keepAliveMs?: number): Promise<Response> {
  if (!response.body || !EVENT_STREAM.test(response.headers.get("content-type") ?? "")) return response;
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  const { status, headers } = response;
  do {
    const { done, value } = await reader.read();
    if (done) return new Response(new Blob(parts as Uint8Array<ArrayBuffer>[]), { status, headers });
    parts.push(value);
  } while (over());
  return new Response(resumed(parts, reader, keepAliveMs), { status, headers });
}

function resumed(
  parts: Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
  keepAliveMs: number | undefined,
): ReadableStream<Uint8Array> {
  let next: Promise<ReadableStreamReadResult<Uint8Array>> | undefined;
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
    },
    async pull(controller) {
      next ??= reader.read();
      const piece = keepAliveMs === undefined ? await next : await within(next, keepAliveMs, undefined);
      if (!piece) return controller.enqueue(COMMENT);
      if (piece.done) return controller.close();
      next = undefined;
      controller.enqueue(piece.value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** A JSON-RPC error with a problem in its `data`, if it has none. Any other message is left as it is. */
export function explainedError<Message>(message: Message, requestId: string): Message {
  const { error } = message as Partial<RpcFailure>;
  if (!error || error.data?.code !== undefined) return message;
  return { ...message, error: told(error, requestId) };
}

/** The answer with a problem in the `data` of its JSON-RPC error, if it is one that has none. */
export async function explained(response: Response, requestId: string): Promise<Response> {
  const isStream = EVENT_STREAM.test(response.headers.get("content-type") ?? "");
  const text = await response.text();
  const { status } = response;
  const headers = new Headers(response.headers);
  const body = failureIn(isStream ? (/^data: (.*)$/m.exec(text)?.[1] ?? "") : text);
  if (!body || body.error.data?.code !== undefined) return new Response(text || null, { status, headers });
  body.error = told(body.error, requestId, status);
  if (status === 405) headers.set("Allow", "POST");
  headers.set("Content-Type", "application/json");
  return new Response(JSON.stringify(body), { status, headers });
}

interface RpcFailure {
  error: { code: number; message: string; data?: Record<string, unknown> };
}

function failureIn(json: string): RpcFailure | undefined {
  if (!json.includes('"error"')) return undefined;
  const body = JSON.parse(json) as Partial<RpcFailure>;
  return body.error ? (body as RpcFailure) : undefined;
}

/** The error in the catalogue's words. The text of one that nobody foresaw may hold anything, and is left out. */
function told({ code, message, data }: RpcFailure["error"], requestId: string, status = 0): RpcFailure["error"] {
  const issues = code === INTERNAL ? schemaIssues(message) : undefined;
  if (issues) {
    const detail = issues.map((issue) => `${issue.path}: ${issue.message}`).join("; ");
    const says = new WaypostError("invalid_input", detail.slice(0, 300), { issues });
    return { code: INVALID_PARAMS, message: says.detail, data: { ...toProblem(says, requestId), ...data } };
  }
  const kind = meaning(code, message);
  const foreseen = kind === "internal" ? UNFORESEEN : message;
  const problem: Problem = toProblem(new WaypostError(kind, foreseen.slice(0, 300)), requestId);
  return { code, message: foreseen, data: { ...problem, ...(status >= 400 ? { status } : {}), ...data } };
}

const INTERNAL = -32603;
const INVALID_PARAMS = -32602;

/** The catalogue's code for a JSON-RPC code. -32000 is what the SDK gives for whatever is wrong with the HTTP request. */
function meaning(code: number, message: string): ErrorCode {
  switch (code) {
    case -32601:
      return "unknown_method";
    case -32600:
    case INVALID_PARAMS:
      return "invalid_input";
    case INTERNAL:
      return "internal";
    default:
      return /^method not allowed/i.test(message) ? "method_not_allowed" : "invalid_header";
  }
}
