/**
 * Most output tokens a provider accepts for a model, by the longest matching start of its name. Sent higher, it refuses.
 * The price package has none: Anthropic's are those of the pinned @ai-sdk/anthropic (models since 4; a test compares them),
 * the others are from the providers' model pages.
 */
const MAX_OUTPUT: Record<string, Record<string, number>> = {
  openai: {
    "gpt-3.5": 4096,
    "gpt-4": 8192,
    "gpt-4-turbo": 4096,
    "gpt-4-1106": 4096,
    "gpt-4-0125": 4096,
    "gpt-4.1": 32_768,
    "gpt-4.5": 16_384,
    "gpt-4o": 16_384,
    "gpt-4o-2024-05-13": 4096,
    "chatgpt-4o": 16_384,
    "gpt-5": 128_000,
    "gpt-5-chat": 16_384,
    "gpt-6": 128_000,
    o1: 100_000,
    "o1-mini": 65_536,
    "o1-preview": 32_768,
    o3: 100_000,
    o4: 100_000,
  },
  anthropic: {
    "claude-3": 4096,
    "claude-3-5": 8192,
    "claude-3.5": 8192,
    "claude-3-7": 64_000,
    "claude-haiku-4-5": 64_000,
    "claude-sonnet-4": 64_000,
    "claude-sonnet-4-6": 128_000,
    "claude-opus-4": 32_000,
    "claude-opus-4-5": 64_000,
    "claude-opus-4-6": 128_000,
    "claude-opus-4-7": 128_000,
    "claude-opus-4-8": 128_000,
    "claude-haiku-5": 128_000,
    "claude-sonnet-5": 128_000,
    "claude-opus-5": 128_000,
    "claude-fable-5": 128_000,
  },
};

const UNKNOWN_OUTPUT = 4096;

/** Safe ceiling for `max_tokens`; 4,096 for a model nothing is known of. */
export function maxOutput(provider: string, name: string): number {
  const table = MAX_OUTPUT[provider === "azure" ? "openai" : provider] ?? {};
  const prefix = Object.keys(table)
    .filter((start) => name.startsWith(start))
    .sort((a, b) => b.length - a.length)[0];
  return (prefix && table[prefix]) || UNKNOWN_OUTPUT;
}

/** OpenAI's reasoning models take `max_completion_tokens` and no temperature; everyone else takes `max_tokens`. */
export const isReasoningModel = (name: string): boolean => /^(o\d|gpt-[5-9])/.test(name) && !/chat/.test(name);

/** Since Opus 4.7 Anthropic's models refuse sampling parameters. */
export const takesTemperature = (name: string): boolean =>
  !/^claude-(opus-4-[78]|(opus|sonnet|haiku|fable)-[5-9])/.test(name);
