import type { AssistantPart } from "./prompt_builder.ts";

/** Anthropic signed or sealed this thought: only to Anthropic it is worth anything. */
export const isSealed = ({ providerOptions }: AssistantPart): boolean => {
  const { signature, redactedData } = providerOptions?.anthropic ?? {};
  return typeof signature === "string" || typeof redactedData === "string";
};
