import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { type Ability, abilitiesOf } from "../abilities.ts";
import type { ModelInfo } from "../types.ts";

/** What a request needs of a model besides chat. */
export type Need = Extract<Ability, "vision" | "tools" | "json">;

/** What a prompt with its tools and its wanted form of answer needs. */
export function needsOf({ prompt, tools, responseFormat }: LanguageModelV4CallOptions): Need[] {
  const needs: Need[] = [];
  const seen = prompt.some(({ content }) => typeof content !== "string" && content.some(isPicture));
  if (seen) needs.push("vision");
  if (tools?.length) needs.push("tools");
  if (responseFormat?.type === "json" && responseFormat.schema) needs.push("json");
  return needs;
}

const isPicture = (part: { type: string; mediaType?: unknown }): boolean =>
  part.type === "file" && String(part.mediaType).startsWith("image");

/** What a model is known to lack of that. Of a model nothing is known of, nothing is missing. */
export function lacking(info: ModelInfo, needs: readonly Need[] = []): Need[] {
  if (needs.length === 0) return [];
  const abilities = abilitiesOf(info);
  return abilities.length > 1 ? needs.filter((need) => !abilities.includes(need)) : [];
}
