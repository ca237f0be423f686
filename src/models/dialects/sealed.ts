import { isObject } from "./fields.ts";
import type { AssistantPart } from "./prompt_builder.ts";

/** What Anthropic signs a thought with, or a thought that it keeps to itself. */
export interface Seal {
  signature?: string;
  redacted?: string;
}

/** Anthropic signed or sealed this thought: only to Anthropic it is worth anything. */
export const isSealed = ({ providerOptions }: AssistantPart): boolean => {
  const { signature, redactedData } = providerOptions?.anthropic ?? {};
  return typeof signature === "string" || typeof redactedData === "string";
};

/** Who made a seal: nobody else's is worth sending there. */
const BY = "anthropic";

/** A seal as `encrypted_content`, which clients of the Responses API give back unread; undefined when there is none. */
export function writeSeal({ signature, redacted }: Seal): string | undefined {
  if (signature === undefined && redacted === undefined) return undefined;
  const seal = redacted === undefined ? { by: BY, signature } : { by: BY, redacted };
  return Buffer.from(JSON.stringify(seal)).toString("base64");
}

/** What stood in `encrypted_content`; undefined for whatever was not written here. */
export function readSeal(value: unknown): Seal | undefined {
  if (typeof value !== "string") return undefined;
  let seal: unknown;
  try {
    seal = JSON.parse(Buffer.from(value, "base64").toString("utf8"));
  } catch {
    return undefined;
  }
  if (!isObject(seal) || seal.by !== BY) return undefined;
  if (typeof seal.redacted === "string") return { redacted: seal.redacted };
  return typeof seal.signature === "string" ? { signature: seal.signature } : undefined;
}
