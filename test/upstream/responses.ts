import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Responses } from "openai/resources/responses";
import { type Answer, answer, type WireMessage } from "./answers.ts";
import { breakOff, breakOffWhole, errorBody } from "./breaks.ts";
import { json, readBody, type ServedRequest } from "./server.ts";
import { responsesRefusal } from "./type_refusals.ts";

/**
 * OpenAI's Responses API: the answers of the chat completions in its own words, whole and as typed events, and the ways in
 * which it fails, chosen by the model's name. `thinks` thinks before it answers; `cached-tokens` reads half from a cache.
 */

type Body = Responses.ResponseCreateParams & { model: string };
type Events = Responses.ResponseStreamEvent;
/** An event before it is numbered. */
type Unnumbered = Events extends infer E ? (E extends Events ? Omit<E, "sequence_number"> : never) : never;

/** Tokens of a thought. */
const THOUGHT = 3;

export async function responses(
  request: IncomingMessage,
  response: ServerResponse,
  log: ServedRequest[],
): Promise<void> {
  const body = JSON.parse(await readBody(request)) as Body;
  const authorization = request.headers.authorization ?? null;
  const entry: ServedRequest = {
    n: log.length + 1,
    model: body.model,
    stream: body.stream === true,
    status: 200,
    usage: null,
    pieces: 0,
    completed: false,
    authorization,
  };
  Object.assign(entry, { body });
  log.push(entry);
  const fail = /^fail-(\d{3})(?:-(.+))?$/.exec(body.model);
  const status = request.url !== "/v1/responses" ? 404 : authorization ? Number(fail?.[1] ?? 200) : 401;
  if (status !== 200) return refuse(response, entry, status, fail?.[2] ?? "");
  const refusal = responsesRefusal(body);
  if (refusal) {
    entry.status = 400;
    return json(response, 400, refusal);
  }
  if (body.model === "wrong-content-type") {
    response.writeHead(200, { "content-type": "text/html" }).end("<html><body>secret upstream page</body></html>");
    return;
  }
  if (body.model === "slow-first-byte") await sleep(3000, undefined, { ref: false });
  const given = answerTo(body);
  if (body.stream && body.model !== "never-streams") return streamed(body, given, response, entry);
  await whole(body, given, response, entry);
}

function refuse(response: ServerResponse, entry: ServedRequest, status: number, how: string): void {
  entry.status = status;
  if (how === "retry-after") response.setHeader("retry-after", "7");
  const code = { quota: "insufficient_quota", context: "context_length_exceeded" }[how] ?? `code_${status}`;
  json(response, status, errorBody("secret upstream words, key sk-secret", "upstream_error", code));
}

/** What the chat completions would answer to the same. */
function answerTo(body: Body): Answer {
  const { input = "", instructions, tools = [], tool_choice } = body;
  const messages: WireMessage[] = instructions ? [{ role: "system", content: instructions }] : [];
  if (typeof input === "string") messages.push({ role: "user", content: input });
  else messages.push(...input.flatMap(messageOf));
  const format = body.text?.format;
  return answer(body.model, messages, body.max_output_tokens ?? 4096, {
    tools: tools.flatMap((tool) =>
      tool.type === "function" ? [{ type: tool.type, function: { name: tool.name } }] : [],
    ),
    ...(typeof tool_choice === "string" ? { tool_choice } : {}),
    ...(format?.type === "json_schema"
      ? { response_format: { type: format.type, json_schema: { schema: format.schema } } }
      : {}),
  });
}

function messageOf(item: Responses.ResponseInputItem): WireMessage[] {
  if (item.type === "function_call_output") {
    return [{ role: "tool", content: typeof item.output === "string" ? item.output : JSON.stringify(item.output) }];
  }
  if (!("role" in item) || !("content" in item)) return [];
  const { role, content } = item;
  if (typeof content === "string") return [{ role, content }];
  const parts = content.map((part) =>
    part.type === "input_image" ? { type: "image_url" } : { type: "text", text: "text" in part ? part.text : "" },
  );
  return [{ role, content: parts }];
}

const thinks = ({ model }: Body): boolean => model.startsWith("thinks");

/** Undefined where nothing is reported; nonsense where the model's name says so. */
function usageOf(body: Body, { usage }: Answer): Responses.ResponseUsage | undefined {
  if (body.model === "no-usage") return undefined;
  const reasoning_tokens = thinks(body) ? THOUGHT : 0;
  const output_tokens = usage.completion_tokens + reasoning_tokens;
  const input_tokens = body.model === "nonsense-usage" ? -5 : usage.prompt_tokens;
  const cached_tokens = usage.prompt_tokens_details?.cached_tokens ?? 0;
  return {
    input_tokens,
    input_tokens_details: { cached_tokens, cache_write_tokens: 0 },
    output_tokens,
    output_tokens_details: { reasoning_tokens },
    total_tokens: input_tokens + output_tokens,
  };
}

type Told = Omit<Responses.Response, "output_text">;

function envelope(body: Body, entry: ServedRequest, over: Partial<Told>): Told {
  return {
    id: `resp_${entry.n}`,
    object: "response",
    created_at: 1_700_000_000,
    status: "in_progress",
    access_programs: null,
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    max_output_tokens: body.max_output_tokens ?? null,
    metadata: body.metadata ?? {},
    model: body.model,
    output: [],
    parallel_tool_calls: body.parallel_tool_calls ?? true,
    temperature: body.temperature ?? 1,
    tool_choice: body.tool_choice ?? "auto",
    tools: body.tools ?? [],
    top_p: body.top_p ?? 1,
    ...over,
  };
}

function ended(body: Body, given: Answer, entry: ServedRequest): Told {
  const usage = usageOf(body, given);
  const cut = given.finish === "length";
  return envelope(body, entry, {
    status: cut ? "incomplete" : "completed",
    incomplete_details: cut ? { reason: "max_output_tokens" } : null,
    output: itemsOf(body, given, entry),
    ...(usage ? { usage } : {}),
  });
}

type Item = Responses.ResponseOutputMessage | Responses.ResponseFunctionToolCall | Responses.ResponseReasoningItem;

function itemsOf(body: Body, { pieces, calls }: Answer, { n }: ServedRequest): Item[] {
  const thought: Item = { id: `rs_${n}`, type: "reasoning", summary: [{ type: "summary_text", text: "Let me see." }] };
  const content: Responses.ResponseOutputText[] = [{ type: "output_text", text: pieces.join(""), annotations: [] }];
  const message: Item = { id: `msg_${n}`, type: "message", role: "assistant", status: "completed", content };
  const called = calls.map(
    ({ id, name, arguments: json }, i): Item => ({
      id: `fc_${n}_${i}`,
      type: "function_call",
      status: "completed",
      call_id: id,
      name,
      arguments: json.join(""),
    }),
  );
  return [...(thinks(body) ? [thought] : []), ...(called.length > 0 ? called : [message])];
}

function served(body: Body, given: Answer, entry: ServedRequest): void {
  const usage = usageOf(body, given);
  entry.completed = true;
  if (!usage) return;
  const { input_tokens, input_tokens_details, output_tokens, total_tokens } = usage;
  const { cached_tokens } = input_tokens_details;
  entry.usage = { prompt_tokens: input_tokens, completion_tokens: output_tokens, total_tokens };
  if (cached_tokens > 0) entry.usage.prompt_tokens_details = { cached_tokens };
}

async function whole(body: Body, given: Answer, response: ServerResponse, entry: ServedRequest): Promise<void> {
  const text = JSON.stringify(ended(body, given, entry));
  if (body.model === "nonsense-chunk") return json(response, 200, { object: "response", output: "none" });
  if (await breakOffWhole(body.model, response, text)) return;
  entry.pieces = given.pieces.length;
  served(body, given, entry);
  response.writeHead(200, { "content-type": "application/json" }).end(text);
}

async function streamed(body: Body, given: Answer, response: ServerResponse, entry: ServedRequest): Promise<void> {
  let number = 0;
  const frame = (event: Unnumbered | { type: string; response: Told }): string =>
    `event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number: number++ })}\n\n`;
  const delta = (item_id: string, at: number, text: string): string =>
    frame({
      type: "response.output_text.delta",
      item_id,
      output_index: at,
      content_index: 0,
      delta: text,
      logprobs: [],
    });
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
  const begun = envelope(body, entry, {});
  response.write(frame({ type: "response.created", response: begun }));
  response.write(frame({ type: "response.in_progress", response: begun }));
  for (const [at, item] of itemsOf(body, given, entry).entries()) {
    for (const event of around(item, at)) {
      if (event !== "pieces") {
        response.write(frame(event));
        continue;
      }
      const half = Math.ceil(given.pieces.length / 2);
      for (const [i, piece] of given.pieces.entries()) {
        if (i === half && (await breaks(body, response, entry, frame, (text) => delta(item.id ?? "", at, text))))
          return;
        if (response.destroyed) return;
        if (body.model.startsWith("slow-words")) await sleep(50);
        response.write(delta(item.id ?? "", at, piece));
        entry.pieces++;
      }
    }
  }
  const last = ended(body, given, entry);
  response.end(frame({ type: `response.${last.status}`, response: last }));
  served(body, given, entry);
}

/** The events of an item in their order; `pieces` stands for the words of a message. */
function around(item: Item, output_index: number): (Unnumbered | "pieces")[] {
  const done: Unnumbered = { type: "response.output_item.done", output_index, item };
  const place = { item_id: item.id ?? "", output_index };
  if (item.type === "function_call") {
    const { arguments: json } = item;
    const begun: Item = { ...item, status: "in_progress", arguments: "" };
    const deltas = (json.match(/.{1,5}/gsu) ?? []).map(
      (piece): Unnumbered => ({ type: "response.function_call_arguments.delta", ...place, delta: piece }),
    );
    const end: Unnumbered = { type: "response.function_call_arguments.done", ...place, arguments: json };
    return [{ type: "response.output_item.added", output_index, item: begun }, ...deltas, end, done];
  }
  if (item.type === "reasoning") {
    const text = item.summary[0]?.text ?? "";
    const at = { ...place, summary_index: 0 };
    return [
      { type: "response.output_item.added", output_index, item: { ...item, summary: [] } },
      { type: "response.reasoning_summary_part.added", ...at, part: { type: "summary_text", text: "" } },
      { type: "response.reasoning_summary_text.delta", ...at, delta: text },
      { type: "response.reasoning_summary_text.done", ...at, text },
      { type: "response.reasoning_summary_part.done", ...at, part: { type: "summary_text", text } },
      done,
    ];
  }
  const [part] = item.content;
  if (part?.type !== "output_text") return [done];
  const at = { ...place, content_index: 0 };
  const begun: Item = { ...item, status: "in_progress", content: [] };
  return [
    { type: "response.output_item.added", output_index, item: begun },
    { type: "response.content_part.added", ...at, part: { ...part, text: "" } },
    "pieces",
    { type: "response.output_text.done", ...at, text: part.text, logprobs: [] },
    { type: "response.content_part.done", ...at, part },
    done,
  ];
}

/** Failures in the middle of a stream; true when the answer ends here. */
async function breaks(
  body: Body,
  response: ServerResponse,
  entry: ServedRequest,
  frame: (event: Unnumbered) => string,
  delta: (text: string) => string,
): Promise<boolean> {
  const words = { code: "server_error" as const, message: "secret upstream words" };
  if (body.model === "error-chunk") {
    response.write(frame({ type: "error", ...words, param: null }));
    const failed = envelope(body, entry, { status: "failed", error: words });
    response.end(frame({ type: "response.failed", response: { ...failed, output_text: "" } }));
    return true;
  }
  if (body.model === "nonsense-chunk") {
    response.end('event: response.output_text.delta\ndata: {"type": "response.output_text.delta", "delta": 7}\n\n');
    return true;
  }
  if (body.model === "malformed-chunk") {
    response.end('event: response.output_text.delta\ndata: {"type": "response.output_text.delta", oops\n\n');
    return true;
  }
  return breakOff(body.model, response, delta);
}
