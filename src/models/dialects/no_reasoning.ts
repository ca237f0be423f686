import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { abilitiesOf } from "../abilities.ts";
import { isReasoningModel } from "../limits.ts";

/** Providers whose names of models say what they are of; elsewhere a name says nothing of what a server makes of it. */
const NAMES_TELL = ["openai", "azure", "anthropic"];
const FINE_TUNED = /^ft:/;

/** A model: the name its provider knows it by and, where that is a deployment's, the model it is of. */
export interface Asked {
  provider: string;
  name: string;
  model?: string;
}

/**
 * Its family is known, and does not reason: a request that speaks of it would be refused. Of a family that is not known the
 * provider decides.
 */
export function knownNotToReason({ provider, name, model = name }: Asked): boolean {
  if (!NAMES_TELL.includes(provider)) return false;
  const base = model.replace(FINE_TUNED, "");
  const abilities = abilitiesOf({ provider, model: base, needsPassages: false, maxOutputTokens: 1 });
  return abilities.length > 1 && !abilities.includes("reasoning") && !isReasoningModel(base);
}

export function withoutEffort({ reasoning: _, ...options }: LanguageModelV4CallOptions): LanguageModelV4CallOptions {
  if (!options.providerOptions?.anthropic) return options;
  const { thinking: __, ...anthropic } = options.providerOptions.anthropic;
  return { ...options, providerOptions: { ...options.providerOptions, anthropic } };
}
