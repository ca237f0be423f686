/** What the stand-in provider says and counts: deterministic, so that a bill can be recomputed from the request. */

export interface WireMessage {
  role: string;
  content: string | { type: string; text?: string }[] | null;
}

export interface WireUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: { cached_tokens: number };
}

/** What a request asks for beside an answer in words. */
export interface Asked {
  tools?: { type: string; function?: { name: string } }[];
  tool_choice?: string | object;
  response_format?: { type: string; json_schema?: { schema: Schema } };
}

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  enum?: unknown[];
}

export interface ToolCall {
  id: string;
  name: string;
  /** Pieces of the JSON. */
  arguments: string[];
}

export interface Answer {
  pieces: string[];
  /** Calls in place of words. */
  calls: ToolCall[];
  usage: WireUsage;
  finish: "stop" | "length" | "tool_calls";
}

const textOf = ({ content }: WireMessage): string =>
  typeof content === "string" ? content : (content ?? []).map((part) => part.text ?? "").join("");

const pictures = (messages: WireMessage[]): number =>
  messages.reduce(
    (sum, { content }) =>
      sum + (Array.isArray(content) ? content.filter(({ type }) => type === "image_url").length : 0),
    0,
  );

const words = (text: string): string[] => text.match(/\S+\s*/g) ?? [];

/** Tokens of a prompt: its words, plus four a message, plus 85 a picture. */
export const promptTokens = (messages: WireMessage[]): number =>
  messages.reduce((sum, message) => sum + words(textOf(message)).length + 4, 85 * pictures(messages));

/**
 * Repeats the question back, one word a piece and one token a word, up to `maxTokens`. When the prompt holds passages it
 * cites the first and one that does not exist. Model names of the form `tokens-<in>-<out>` report just that usage.
 *
 * Offered tools, it calls each of them with the question, until a result is in the prompt; asked for JSON, it fills the
 * schema with the question; pictures it counts.
 */
export function answer(model: string, messages: WireMessage[], maxTokens: number, asked: Asked = {}): Answer {
  const last = textOf(messages.findLast(({ role }) => role === "user") ?? { role: "user", content: "" });
  const calls = callsFor(asked, messages, last);
  if (calls.length > 0) {
    const completion_tokens = calls.reduce((sum, call) => sum + call.arguments.length, 0);
    const prompt_tokens = promptTokens(messages);
    const usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
    return { pieces: [], calls, finish: "tool_calls", usage };
  }
  const grounded = last.includes("<<passage 1 ");
  const question = last.split("\n\nQuestion:\n").at(-1) ?? "";
  const seen = pictures(messages) > 0 ? `I see ${pictures(messages)} pictures. ` : "";
  const results = messages.filter(({ role }) => role === "tool").map((message) => `Result: ${textOf(message)} `);
  const schema = asked.response_format?.json_schema?.schema;
  const text = schema
    ? JSON.stringify(filled(schema, question))
    : grounded
      ? `The passage says so [1], and so does a made-up one [99]: ${question}`
      : `${seen}${results.join("")}You said: ${question}`;
  const all = words(text);
  const pieces = all.slice(0, maxTokens);
  const fixed = /^tokens-(\d+)-(\d+)$/.exec(model);
  const prompt_tokens = fixed ? Number(fixed[1]) : promptTokens(messages);
  const completion_tokens = fixed ? Number(fixed[2]) : pieces.length;
  return {
    pieces,
    calls: [],
    finish: pieces.length < all.length ? "length" : "stop",
    usage: {
      prompt_tokens,
      completion_tokens,
      total_tokens: prompt_tokens + completion_tokens,
      ...(model.startsWith("cached-tokens")
        ? { prompt_tokens_details: { cached_tokens: Math.floor(prompt_tokens / 2) } }
        : {}),
    },
  };
}

function callsFor({ tools = [], tool_choice }: Asked, messages: WireMessage[], question: string): ToolCall[] {
  if (tool_choice === "none" || messages.some(({ role }) => role === "tool")) return [];
  return tools.flatMap(({ function: named }, i) =>
    named
      ? [
          {
            id: `call_of_${named.name}_${i}`,
            name: named.name,
            arguments: JSON.stringify({ question }).match(/.{1,5}/gsu) ?? [],
          },
        ]
      : [],
  );
}

/** A value that fits a schema, with the text wherever it takes one. */
function filled(schema: Schema, text: string): unknown {
  if (schema.enum) return schema.enum[0];
  switch (schema.type) {
    case "object":
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, inner]) => [name, filled(inner, text)]),
      );
    case "array":
      return [filled(schema.items ?? {}, text)];
    case "number":
    case "integer":
      return 7;
    case "boolean":
      return true;
  }
  return text;
}
