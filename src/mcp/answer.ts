import { type ErrorCode, type Problem, toProblem, WaypostError } from "../errors.ts";

/**
 * The answers of the SDK made whole: held until it is known how they begin, and with the catalogue's word on what the
 * SDK refused by itself.
 */

const EVENT_STREAM = /^text\/event-stream/;
const UNFORESEEN = "Something failed that should not have.";

/**
 * Waits for the first bytes of an event stream, which tell a refused call from a running one while the status can still
 * be chosen. When the call is `over` by then, the rest is waited for too.
 */
export async function begun(response: Response, over: () => boolean): Promise<Response> {
  if (!response.body || !EVENT_STREAM.test(response.headers.get("content-type") ?? "")) return response;
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  const { status, headers } = response;
  do {
    const { done, value } = await reader.read();
    if (done) return new Response(new Blob(parts as Uint8Array<ArrayBuffer>[]), { status, headers });
    parts.push(value);
  } while (over());
  return new Response(resumed(parts, reader), { status, headers });
}

function resumed(parts: Uint8Array[], reader: ReadableStreamDefaultReader<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
    },
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** A JSON-RPC error with a problem in its `data`, if it has none. Any other message is left as it is. */
export function explainedError<Message>(message: Message, requestId: string): Message {
  const { error } = message as Partial<RpcFailure>;
  if (!error || error.data?.code !== undefined) return message;
  const kind = meaning(error.code, error.message);
  const says = new WaypostError(kind, kind === "internal" ? UNFORESEEN : error.message.slice(0, 300));
  const told = kind === "internal" ? UNFORESEEN : error.message;
  const data = { ...toProblem(says, requestId), ...error.data };
  return { ...message, error: { ...error, message: told, data } };
}

/** The answer with a problem in the `data` of its JSON-RPC error, if it is one that has none. */
export async function explained(response: Response, requestId: string): Promise<Response> {
  const isStream = EVENT_STREAM.test(response.headers.get("content-type") ?? "");
  const text = await response.text();
  const { status } = response;
  const headers = new Headers(response.headers);
  const json = isStream ? (/^data: (.*)$/m.exec(text)?.[1] ?? "") : text;
  const error = errorIn(json);
  if (!error || error.body.error.data?.code !== undefined) return new Response(text || null, { status, headers });
  if (error.says.code === "internal") error.body.error.message = error.says.detail;
  const problem: Problem = { ...toProblem(error.says, requestId), ...(status >= 400 ? { status } : {}) };
  error.body.error.data = { ...problem, ...error.body.error.data };
  if (status === 405) headers.set("Allow", "POST");
  headers.set("Content-Type", "application/json");
  return new Response(JSON.stringify(error.body), { status, headers });
}

interface RpcFailure {
  error: { code: number; message: string; data?: Record<string, unknown> };
}

function errorIn(json: string): { body: RpcFailure; says: WaypostError } | undefined {
  if (!json.includes('"error"')) return undefined;
  const body = JSON.parse(json) as Partial<RpcFailure>;
  if (!body.error) return undefined;
  const { code, message } = body.error;
  const kind = meaning(code, message);
  // The text of an error nobody foresaw may hold anything.
  const detail = kind === "internal" ? UNFORESEEN : message.slice(0, 300);
  return { body: body as RpcFailure, says: new WaypostError(kind, detail) };
}

/** The catalogue's code for a JSON-RPC code. -32000 is what the SDK gives for whatever is wrong with the HTTP request. */
function meaning(code: number, message: string): ErrorCode {
  switch (code) {
    case -32601:
      return "unknown_method";
    case -32600:
    case -32602:
      return "invalid_input";
    case -32603:
      return "internal";
    default:
      return /^method not allowed/i.test(message) ? "method_not_allowed" : "invalid_header";
  }
}
