import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, type Asked, answer, type WireMessage, type WireUsage } from "./answers.ts";
import { anthropic } from "./anthropic.ts";
import { azure } from "./azure.ts";
import { breakOff, breakOffWhole, cutsAtTimes, errorBody, flakyFailure, oddly } from "./breaks.ts";
import { cuts } from "./cuts.ts";
import { serveEmbeddings } from "./embeddings.ts";
import { llamaGuard, moderations } from "./moderations.ts";
import { ollamaTags } from "./ollama.ts";
import { responses } from "./responses.ts";
import { chatRefusal } from "./type_refusals.ts";
import { workersAi } from "./workers_ai.ts";

/**
 * A stand-in for a model provider: OpenAI's chat completions on a real socket, with deterministic answers and the ways
 * in which providers fail, chosen by the model's name.
 *
 *   node test/upstream/server.ts --port 9999      prints {"url": "http://127.0.0.1:9999"}
 *
 * `reason-only` says why it ends with its last words, and nothing after them.
 *
 * `GET /log` returns what was served, to be compared with what was billed; `DELETE /log` forgets it.
 */

export interface ServedRequest {
  n: number;
  model: string;
  stream: boolean;
  status: number;
  /** What was reported to the client; null when none was. */
  usage: WireUsage | null;
  /** Pieces of text that were sent. */
  pieces: number;
  /** The whole answer was sent. */
  completed: boolean;
  authorization: string | null;
  /** Anthropic's API: features that were asked for by name. */
  betas?: string;
  /** The request as it came; only kept of the newest ones. */
  body?: WireRequest;
}

interface WireRequest extends Asked {
  model: string;
  messages: WireMessage[];
  stream?: boolean;
  stream_options?: { include_usage?: boolean };
  max_tokens?: number;
  max_completion_tokens?: number;
  temperature?: number;
}

export interface UpstreamServer {
  url: string;
  log: ServedRequest[];
  close(): Promise<void>;
}

const BODIES_KEPT = 500;
const MAX_BODY_BYTES = 32 * 1024 * 1024;

export async function startUpstream(port = 0): Promise<UpstreamServer> {
  const log: ServedRequest[] = [];
  const server = createServer((request, response) => {
    route(request, response, log).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Serves what begins with a path; reads the body itself and writes to the log what it served. */
export type Handler = (request: IncomingMessage, response: ServerResponse, log: ServedRequest[]) => Promise<void>;
const others: [start: string, handler: Handler][] = [
  ["/v1/embeddings", serveEmbeddings],
  ["/v1/messages", anthropic],
  ["/v1/responses", responses],
  ["/openai/v1/", azure],
  ["/workers-ai/", workersAi],
  ["/api/tags", ollamaTags],
  ["/v1/moderations", moderations],
  ["/llama-guard", llamaGuard],
  ["/cuts/", cuts],
];

async function route(request: IncomingMessage, response: ServerResponse, log: ServedRequest[]): Promise<void> {
  const path = new URL(request.url ?? "/", "http://upstream").pathname;
  if (path === "/log" && request.method === "GET") return json(response, 200, log);
  if (path === "/log" && request.method === "DELETE") {
    log.length = 0;
    return json(response, 200, []);
  }
  if (path === "/v1/models") return json(response, 200, { object: "list", data: [{ id: "echo", object: "model" }] });
  const elsewhere = others.find(([start]) => path.startsWith(start));
  if (elsewhere) return elsewhere[1](request, response, log);
  if (path !== "/v1/chat/completions" || request.method !== "POST") {
    return json(response, 404, errorBody("Unknown request URL", "invalid_request_error", "unknown_url"));
  }
  await completions(request, response, log);
}

/** OpenAI's chat completions. */
export async function completions(
  request: IncomingMessage,
  response: ServerResponse,
  log: ServedRequest[],
): Promise<void> {
  const body = JSON.parse(await readBody(request)) as WireRequest;
  const entry: ServedRequest = {
    n: log.length + 1,
    model: body.model,
    stream: body.stream === true,
    status: 200,
    usage: null,
    pieces: 0,
    completed: false,
    authorization: request.headers.authorization ?? null,
    body,
  };
  log.push(entry);
  const old = log[log.length - 1 - BODIES_KEPT];
  if (old) delete old.body;
  await serve(body, response, entry);
}

async function serve(body: WireRequest, response: ServerResponse, entry: ServedRequest): Promise<void> {
  const fail = /^fail-(\d{3})(?:-(.+))?$/.exec(body.model);
  if (fail) return failWith(response, entry, Number(fail[1]), fail[2] ?? "");
  const flaky = flakyFailure(body.model);
  if (flaky) {
    if (flaky.retryAfter) response.setHeader("retry-after", flaky.retryAfter);
    return failWith(response, entry, flaky.status, "");
  }
  if (cutsAtTimes(body.model, JSON.stringify(body.messages))) {
    entry.status = 0;
    response.destroy();
    return;
  }
  const refusal = chatRefusal(body);
  if (refusal) {
    entry.status = 400;
    return json(response, 400, refusal);
  }
  if (body.model === "wrong-content-type") {
    response.writeHead(200, { "content-type": "text/html" }).end("<html><body>secret upstream page</body></html>");
    return;
  }
  if (body.model === "slow-first-byte") await sleep(3000, undefined, { ref: false });
  if (body.model === "slower-first-byte") await sleep(15_000, undefined, { ref: false });
  const given = answer(body.model, body.messages, body.max_completion_tokens ?? body.max_tokens ?? 4096, body);
  const streams = body.model === "always-streams" || (body.stream === true && body.model !== "never-streams");
  if (!streams) return whole(body, given, response, entry);
  await streamed(body, given, response, entry);
}

/** `fail-429-retry-after`, `fail-429-retry-date`, `fail-429-retry-ms`, `fail-429-quota`, `fail-400-context`, or just a status. */
function failWith(response: ServerResponse, entry: ServedRequest, status: number, how: string): void {
  entry.status = status;
  if (/^retry-(after|ms)$/.test(how)) response.setHeader("retry-after", "7");
  if (how === "retry-ms") response.setHeader("retry-after-ms", "1500");
  if (how === "retry-date") response.setHeader("retry-after", new Date(Date.now() + 30_000).toUTCString());
  if (status >= 300 && status < 400) response.setHeader("location", "http://127.0.0.1:1/elsewhere");
  const code = { quota: "insufficient_quota", context: "context_length_exceeded" }[how] ?? `code_${status}`;
  json(response, status, errorBody("secret upstream words, key sk-secret", "upstream_error", code));
}

async function whole(body: WireRequest, given: Answer, response: ServerResponse, entry: ServedRequest): Promise<void> {
  const usage = reported(body.model, given.usage);
  const text = JSON.stringify({
    id: `chatcmpl-${entry.n}`,
    object: "chat.completion",
    created: 1_700_000_000,
    model: body.model,
    choices: [{ index: 0, message: messageOf(given), finish_reason: given.finish }],
    ...(usage ? { usage } : {}),
  });
  await sleep(paceOf(body.model) * given.pieces.length);
  if (await breakOffWhole(body.model, response, text)) return;
  Object.assign(entry, { usage, pieces: given.pieces.length, completed: true });
  response.writeHead(200, { "content-type": "application/json" }).end(text);
}

function messageOf({ pieces, calls }: Answer): object {
  if (calls.length === 0) return { role: "assistant", content: pieces.join("") };
  const tool_calls = calls.map(({ id, name, arguments: json }) => ({
    id,
    type: "function",
    function: { name, arguments: json.join("") },
  }));
  return { role: "assistant", content: null, tool_calls };
}

/** Calls as a stream has them: name and id first, then the arguments piece by piece. */
const callDeltas = ({ calls }: Answer): object[] =>
  calls.flatMap(({ id, name, arguments: json }, index) => [
    { index, id, type: "function", function: { name, arguments: "" } },
    ...json.map((piece) => ({ index, function: { arguments: piece } })),
  ]);

/** Milliseconds between the pieces of an answer. */
const paceOf = (model: string): number =>
  model.startsWith("slow-words") ? 50 : model.startsWith("brisk-words") ? 5 : 0;

/** What is reported to the client: some providers report nothing, or nonsense. */
function reported(model: string, usage: WireUsage): WireUsage | null {
  if (model === "no-usage") return null;
  return model === "nonsense-usage" ? { ...usage, prompt_tokens: -5 } : usage;
}

async function streamed(
  body: WireRequest,
  given: Answer,
  response: ServerResponse,
  entry: ServedRequest,
): Promise<void> {
  if (body.model === "odd-stream") oddly(response);
  const frame = (fields: object): string =>
    `data: ${JSON.stringify({ id: `chatcmpl-${entry.n}`, object: "chat.completion.chunk", created: 1_700_000_000, model: body.model, ...fields })}\n\n`;
  const delta = (content: string): string =>
    frame({ choices: [{ index: 0, delta: { content }, finish_reason: null }] });
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  response.write(frame({ choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }] }));
  const half = Math.ceil(given.pieces.length / 2);
  const abrupt = body.model === "reason-only";
  for (const [i, piece] of given.pieces.entries()) {
    if (i === half && (await breakOff(body.model, response, delta))) return;
    if (response.destroyed) return;
    const pause = paceOf(body.model);
    if (pause > 0) await sleep(pause);
    const last = abrupt && i === given.pieces.length - 1;
    const words = { index: 0, delta: { content: piece }, finish_reason: given.finish };
    response.write(last ? frame({ choices: [words] }) : delta(piece));
    entry.pieces++;
  }
  if (abrupt) {
    response.end();
    entry.completed = true;
    return;
  }
  for (const delta of callDeltas(given))
    response.write(frame({ choices: [{ index: 0, delta: { tool_calls: [delta] }, finish_reason: null }] }));
  response.write(frame({ choices: [{ index: 0, delta: {}, finish_reason: given.finish }] }));
  if (body.stream_options?.include_usage || body.model === "always-streams") {
    entry.usage = reported(body.model, given.usage);
    if (entry.usage) response.write(frame({ choices: [], usage: entry.usage }));
  }
  response.end(body.model === "no-done" ? undefined : "data: [DONE]\n\n");
  entry.completed = true;
}

export async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) throw new Error("request body too large");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

if (import.meta.main) {
  const flag = process.argv.indexOf("--port");
  const { url } = await startUpstream(flag > 0 ? Number(process.argv[flag + 1]) : 0);
  process.stdout.write(`${JSON.stringify({ url })}\n`);
}
