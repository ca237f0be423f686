import { pattern } from "../../pattern.ts";
import { visible } from "../../visible.ts";
import type { ExternalIdentity } from "../directory.ts";

/** Somebody as a provider vouched for them. Only `issuer` and `subject` ever decide who it is; the rest is shown. */
export interface ProvenIdentity extends ExternalIdentity {
  name: string | null;
  /** Only one that the provider verified. Never used to recognise anybody: addresses change hands. */
  email: string | null;
}

const MAX_SHOWN = 100;
const ADDRESS = pattern(String.raw`^[^\s\p{C}@]+@[^\s\p{C}@]+$`, "u");

/** A provider's text as it may be shown: one line of at most 100 visible characters, or null when there is none. */
export function shown(text: unknown): string | null {
  if (typeof text !== "string") return null;
  const clean = visible(text.normalize("NFC"));
  let cut = "";
  for (const character of clean) {
    if (cut.length + character.length > MAX_SHOWN) break;
    cut += character;
  }
  return cut.trim() || null;
}

/** An e-mail address as it came, or null when it is none: half an address would be somebody else's. */
export function emailAddress(text: unknown): string | null {
  return typeof text === "string" && text.length <= 254 && ADDRESS().test(text) ? text : null;
}
