import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Answer, answer } from "./answers.ts";
import { breakMessage, breakWholeMessage } from "./anthropic_breaks.ts";
import { json, readBody, type ServedRequest } from "./server.ts";

/**
 * Anthropic's Messages API: deterministic answers, and the ways in which it fails, chosen by the model's name. A request that
 * the real one would refuse is refused.
 */

interface MessagesRequest {
  model: string;
  max_tokens: number;
  system?: unknown;
  messages: { role: string; content: string | { type: string; text?: string }[] }[];
  stream?: boolean;
  tools?: { name: string }[];
  temperature?: number;
}

/** As in the real one: cached tokens are counted apart from the input. */
interface Usage {
  input_tokens: number;
  cache_read_input_tokens: number;
  cache_creation_input_tokens: number;
  cache_creation: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number };
  output_tokens: number;
}

export const anthropicError = (type: string): object => ({
  type: "error",
  error: { type, message: "secret upstream words, key sk-secret" },
  request_id: "req_standin",
});

export async function anthropic(
  request: IncomingMessage,
  response: ServerResponse,
  log: ServedRequest[],
): Promise<void> {
  const counting = request.url === "/v1/messages/count_tokens";
  const body = JSON.parse(await readBody(request)) as MessagesRequest;
  const key = request.headers["x-api-key"];
  const entry: ServedRequest = {
    n: log.length + 1,
    model: body.model,
    stream: body.stream === true,
    status: 200,
    usage: null,
    pieces: 0,
    completed: false,
    authorization: typeof key === "string" ? key : null,
  };
  const { "anthropic-beta": betas } = request.headers;
  Object.assign(entry, { body }, betas === undefined ? {} : { betas });
  log.push(entry);
  const refuse = (status: number, type: string): void => {
    entry.status = status;
    json(response, status, anthropicError(type));
  };
  if (request.url !== "/v1/messages" && !counting) return refuse(404, "not_found_error");
  if (!key) return refuse(401, "authentication_error");
  const accepted = counting ? !("max_tokens" in body || "stream" in body) : acceptable(body);
  if (request.headers.authorization || request.headers["anthropic-version"] !== "2023-06-01" || !accepted) {
    return refuse(400, "invalid_request_error");
  }
  if (counting) {
    if (body.model === "nonsense-count") return json(response, 200, { input_tokens: "many" });
    if (!/^(fail|wrong)-/.test(body.model)) return json(response, 200, { input_tokens: countOf(body) });
  }
  await serve(body, response, entry, refuse);
}

/** A number that only this server can have counted. */
const countOf = ({ messages, system, tools }: MessagesRequest): number =>
  7_000 + JSON.stringify([messages, system, tools]).length;

/** What the real one checks of the prompt. */
function acceptable({ max_tokens, messages, temperature = 0 }: MessagesRequest): boolean {
  const filled = messages.every(({ role, content }) => (role === "user" || role === "assistant") && content.length > 0);
  const last = messages.at(-1);
  const open = last?.role === "assistant" && typeof last.content === "string" && /\s$/.test(last.content);
  return max_tokens > 0 && messages[0]?.role === "user" && filled && !open && temperature <= 1;
}

const ERRORS: Record<number, string> = { 413: "request_too_large", 429: "rate_limit_error", 529: "overloaded_error" };

async function serve(
  body: MessagesRequest,
  response: ServerResponse,
  entry: ServedRequest,
  refuse: (status: number, type: string) => void,
): Promise<void> {
  const { model } = body;
  const fail = /^fail-(\d{3})(?:-(.+))?$/.exec(model);
  if (/^retry-(after|ms)$/.test(fail?.[2] ?? "")) response.setHeader("retry-after", "7");
  if (fail?.[2] === "retry-ms") response.setHeader("retry-after-ms", "1500");
  if (fail?.[2] === "context") {
    const error = { type: "invalid_request_error", message: "prompt is too long: 210000 tokens > 200000 maximum" };
    entry.status = 400;
    return json(response, 400, { type: "error", error });
  }
  if (fail) return refuse(Number(fail[1]), ERRORS[Number(fail[1])] ?? "api_error");
  if (model === "wrong-content-type") {
    response.writeHead(200, { "content-type": "text/html" }).end("<html>secret upstream page</html>");
    return;
  }
  if (model === "slow-first-byte") await sleep(3000, undefined, { ref: false });
  const given = answer(model, body.messages, body.max_tokens);
  const usage = usageOf(model, given);
  const content = contentOf(body, given);
  const stop_reason = content.some(({ type }) => type === "tool_use")
    ? "tool_use"
    : given.finish === "length"
      ? "max_tokens"
      : "end_turn";
  const message = { id: `msg_${entry.n}`, type: "message", role: "assistant", model, stop_sequence: null };
  const done = (): void => {
    const prompt = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens;
    entry.completed = true;
    entry.usage = {
      prompt_tokens: prompt,
      completion_tokens: usage.output_tokens,
      total_tokens: prompt + usage.output_tokens,
    };
  };
  if (!body.stream || model === "never-streams") {
    const text = JSON.stringify({ ...message, content, stop_reason, usage });
    if (await breakWholeMessage(model, response, text)) return;
    response.writeHead(200, { "content-type": "application/json" }).end(text);
    return done();
  }
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  const event = (type: string, fields: object): boolean =>
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
  event("message_start", {
    message: { ...message, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } },
  });
  event("ping", {});
  for (const [index, block] of content.entries()) {
    const pieces = block.type === "text" ? given.pieces : [JSON.stringify(block.input)];
    const empty = block.type === "text" ? { type: "text", text: "" } : { ...block, input: {} };
    event("content_block_start", { index, content_block: empty });
    const half = Math.ceil(pieces.length / 2);
    for (const [i, piece] of pieces.entries()) {
      if (i === half && (await breakMessage(model, response))) return;
      if (response.destroyed) return;
      const delta =
        block.type === "text" ? { type: "text_delta", text: piece } : { type: "input_json_delta", partial_json: piece };
      event("content_block_delta", { index, delta });
      entry.pieces++;
    }
    event("content_block_stop", { index });
  }
  event("message_delta", {
    delta: { stop_reason, stop_sequence: null },
    usage: { output_tokens: usage.output_tokens },
  });
  if (model !== "no-message-stop") event("message_stop", {});
  response.end();
  done();
}

type Block = { type: "text"; text: string } | { type: "tool_use"; id: string; name: string; input: object };

/** With tools, and no result of one yet, the first one is called. */
function contentOf({ tools, messages }: MessagesRequest, given: Answer): Block[] {
  const tool = tools?.[0];
  const answered = messages.some(
    ({ content }) => Array.isArray(content) && content.some(({ type }) => type === "tool_result"),
  );
  return tool && !answered
    ? [{ type: "tool_use", id: "toolu_standin", name: tool.name, input: { city: "Zürich" } }]
    : [{ type: "text", text: given.pieces.join("") }];
}

/** `cache-<input>-<read>-<5m>-<1h>-<output>` reports just that. */
function usageOf(model: string, given: Answer): Usage {
  const fixed = /^cache-(\d+)-(\d+)-(\d+)-(\d+)-(\d+)$/.exec(model)?.slice(1).map(Number);
  const [input = given.usage.prompt_tokens, read = 0, short = 0, hour = 0, output = given.usage.completion_tokens] =
    fixed ?? [];
  return {
    input_tokens: model === "nonsense-usage" ? -5 : input,
    cache_read_input_tokens: read,
    cache_creation_input_tokens: short + hour,
    cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: hour },
    output_tokens: output,
  };
}
