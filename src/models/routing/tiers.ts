import type { ModelInfo } from "../types.ts";

/** What a question asks of a model, from the least to the most. */
export const TIERS = ["quick", "general", "code", "hard"] as const;
export type Tier = (typeof TIERS)[number];

/** Tiers that may answer in another's place, nearest first: one that can do more before one that can do less. */
export const NEIGHBOURS: Record<Tier, readonly Tier[]> = {
  quick: ["general"],
  general: ["code", "quick"],
  code: ["hard", "general"],
  hard: ["code", "general"],
};

/**
 * Which models of the hosted providers serve a tier, the first that is offered being taken. The smallest that does well
 * at it comes first; what follows it is for deployments where it is gone.
 */
const FAMILIES: Record<string, Record<Tier, readonly string[]>> = {
  openai: {
    quick: ["gpt-4o-mini", "gpt-4.1-nano", "gpt-5-nano"],
    general: ["gpt-4.1-mini", "gpt-4o-mini"],
    code: ["gpt-4.1", "gpt-5.1", "gpt-4o"],
    hard: ["gpt-5.1", "o4-mini", "gpt-4.1"],
  },
  anthropic: {
    quick: ["claude-haiku-4-5"],
    general: ["claude-haiku-4-5"],
    code: ["claude-sonnet-4-5", "claude-sonnet-4-6"],
    hard: ["claude-opus-4-5", "claude-sonnet-4-5"],
  },
  "workers-ai": {
    quick: ["@cf/meta/llama-3.1-8b-instruct-fp8-fast", "@cf/meta/llama-3.1-8b-instruct"],
    general: ["@cf/openai/gpt-oss-20b", "@cf/meta/llama-3.3-70b-instruct-fp8-fast"],
    code: ["@cf/openai/gpt-oss-120b", "@cf/qwen/qwen2.5-coder-32b-instruct"],
    hard: ["@cf/openai/gpt-oss-120b"],
  },
};

/** Every model that a hosted provider may serve a tier with; where its families are not known, what it prefers. */
export function familiesOf(provider: string, preferred: string): string[] {
  const known = FAMILIES[provider];
  return known ? [...new Set(TIERS.flatMap((tier) => known[tier]))] : [preferred];
}

/** Parts of a model's name that say it was made for programming. */
const CODER = /\bcod(?:e|er|ex)\b|codestral|devstral|coder/i;

/** The models of one provider that serve a tier, best first; empty when it has none. */
export function serving(tier: Tier, provider: string, offered: readonly ModelInfo[]): ModelInfo[] {
  const known = FAMILIES[provider]?.[tier];
  if (!known) return bySize(tier, offered).slice(0, 1);
  return known.flatMap((name) => offered.find((info) => info.name === name) ?? []).slice(0, 1);
}

/** Where nothing is known of the models but what they cost and what their names say. */
function bySize(tier: Tier, offered: readonly ModelInfo[]): ModelInfo[] {
  const made = tier === "code" ? offered.filter(({ name }) => CODER.test(name)) : [];
  const chosen = made.length > 0 ? made : offered;
  const ranked = chosen.map((info, i) => ({ info, size: sizeOf(info), i }));
  ranked.sort((a, b) => costOf(a.info) - costOf(b.info) || a.size - b.size || a.i - b.i);
  const last = ranked.length - 1;
  const at = { quick: 0, general: Math.floor(last / 2), code: last, hard: last }[tier];
  const found = ranked[at];
  return found ? [found.info] : [];
}

/** Pico-USD for a usual question: three tokens read for one that is written. */
export const costOf = ({ price, markupBps }: ModelInfo): number =>
  ((3 * price.input + price.output) * markupBps) / 10_000;

/** Billions of parameters, as names like `qwen3:8b` or `mixtral-8x7b` tell them; 0 when they do not. */
function sizeOf({ name }: ModelInfo): number {
  const [, times = "1", billions = "0"] = /(?:^|[^a-z0-9.])(?:(\d+)x)?(\d+(?:\.\d+)?)b(?![a-z0-9])/i.exec(name) ?? [];
  return Number(times) * Number(billions);
}
