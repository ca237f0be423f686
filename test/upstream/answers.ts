/** What the stand-in provider says and counts: deterministic, so that a bill can be recomputed from the request. */

export interface WireMessage {
  role: string;
  content: string | { type: string; text?: string }[];
}

export interface WireUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: { cached_tokens: number };
}

export interface Answer {
  pieces: string[];
  usage: WireUsage;
  finish: "stop" | "length";
}

const textOf = ({ content }: WireMessage): string =>
  typeof content === "string" ? content : content.map((part) => part.text ?? "").join("");

const words = (text: string): string[] => text.match(/\S+\s*/g) ?? [];

/** Tokens of a prompt: its words, plus four a message. */
export const promptTokens = (messages: WireMessage[]): number =>
  messages.reduce((sum, message) => sum + words(textOf(message)).length + 4, 0);

/**
 * Repeats the question back, one word a piece and one token a word, up to `maxTokens`. When the prompt holds passages it
 * cites the first and one that does not exist. Model names of the form `tokens-<in>-<out>` report just that usage.
 */
export function answer(model: string, messages: WireMessage[], maxTokens: number): Answer {
  const last = textOf(messages.findLast(({ role }) => role === "user") ?? { role: "user", content: "" });
  const grounded = last.includes("<<passage 1 ");
  const question = last.split("\n\nQuestion:\n").at(-1) ?? "";
  const text = grounded
    ? `The passage says so [1], and so does a made-up one [99]: ${question}`
    : `You said: ${question}`;
  const all = words(text);
  const pieces = all.slice(0, maxTokens);
  const fixed = /^tokens-(\d+)-(\d+)$/.exec(model);
  const prompt_tokens = fixed ? Number(fixed[1]) : promptTokens(messages);
  const completion_tokens = fixed ? Number(fixed[2]) : pieces.length;
  return {
    pieces,
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
