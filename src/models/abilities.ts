import { isReasoningModel } from "./limits.ts";
import { findPrice } from "./prices.ts";
import type { ModelInfo } from "./types.ts";

export const ABILITIES = ["chat", "vision", "tools", "json", "reasoning", "embeddings"] as const;
export type Ability = (typeof ABILITIES)[number];

/**
 * What families of models are known to do besides chat, by the start of the name without its folder; the first line that
 * matches holds, so exceptions come first. From the providers' model pages: the price package has none of it.
 */
const FAMILIES: [start: RegExp, abilities: readonly Ability[]][] = [
  [/^(chatgpt-4o|gpt-5(\.\d)?-chat)/, ["vision"]],
  [/^o1-(mini|preview)/, []],
  [/^o3-mini/, ["tools", "json"]],
  [/^(gpt-4o|gpt-4\.1|gpt-[5-9]|o[1-9])/, ["vision", "tools", "json"]],
  [/^gpt-4-turbo/, ["vision", "tools"]],
  [/^(gpt-4|gpt-3\.5)/, ["tools"]],
  [/^claude-3-5-haiku/, ["tools"]],
  [/^claude-3[-.]7/, ["vision", "tools", "reasoning"]],
  [/^claude-3/, ["vision", "tools"]],
  [/^claude-(opus|sonnet)-4(-0|-20|$)/, ["vision", "tools", "reasoning"]],
  [/^claude-/, ["vision", "tools", "json", "reasoning"]],
  [/^gpt-oss/, ["tools", "reasoning"]],
  [/^(llama-4-scout|mistral-small-3\.1|gemma-4)/, ["vision", "tools"]],
  [/^(gemma-3|llama-3\.2-11b-vision|moondream)/, ["vision"]],
  [/^(qwq|deepseek-r1)/, ["reasoning"]],
  [/^(llama-3\.3-70b|qwen3)/, ["tools"]],
];

type Known = Pick<ModelInfo, "provider" | "model" | "needsPassages" | "maxOutputTokens">;

/** What a model is known to do. What is missing may still be there: of servers of one's own nothing is known. */
export function abilitiesOf({ provider, model, needsPassages, maxOutputTokens }: Known): Ability[] {
  if (maxOutputTokens === 0 || findPrice(provider, model)?.embeds) return ["embeddings"];
  if (needsPassages) return ["chat"];
  const base = model.slice(model.lastIndexOf("/") + 1).toLowerCase();
  const known = FAMILIES.find(([start]) => start.test(base))?.[1] ?? [];
  const hosted = provider === "openai" || provider === "azure";
  const reasons = hosted && isReasoningModel(base) && !known.includes("reasoning");
  return ["chat", ...known, ...(reasons ? (["reasoning"] as const) : [])];
}
