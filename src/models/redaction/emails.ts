import { pattern } from "../../pattern.ts";
import type { Found } from "./types.ts";

const MAX_LOCAL = 64;
const MAX_DOMAIN = 253;
/** Scripts written without spaces are left out: their words stand right beside an address. */
const UNSPACED = pattern(String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]`, "u");
const LOCAL = pattern(String.raw`[\p{L}\p{N}._%+'-]`, "u");
const DOMAIN = pattern(String.raw`[\p{L}\p{N}.-]`, "u");
/** What a local part does not begin with. */
const OPENING = /^[.'%-]+/;
const LAST_LABEL = pattern(String.raw`^(?:\p{L}{2,24}|xn--[a-z0-9-]{2,59})$`, "iu");

/** E-mail addresses: from each @ outwards. Quoted local parts and addresses spelt out ("at", "dot") are not found. */
export function findEmails(text: string): Found[] {
  const found: Found[] = [];
  let after = 0;
  for (let at = text.indexOf("@"); at >= 0; at = text.indexOf("@", at + 1)) {
    if (at < after) continue;
    let start = at;
    const floor = Math.max(after, at - MAX_LOCAL);
    while (start > floor && isOf(LOCAL, text[start - 1] as string)) start--;
    const local = text.slice(start, at);
    start += OPENING.exec(local)?.[0].length ?? 0;
    if (start >= at || text[at - 1] === ".") continue;
    const length = domainLength(text, at + 1);
    if (length === 0) continue;
    after = at + 1 + length;
    found.push({ label: "EMAIL", start, end: after });
  }
  return found;
}

const isOf = (kind: () => RegExp, char: string): boolean => kind().test(char) && !UNSPACED().test(char);

/** Characters of the domain that begins here; 0 when there is none. */
function domainLength(text: string, from: number): number {
  let end = from;
  const limit = Math.min(text.length, from + MAX_DOMAIN);
  while (end < limit && isOf(DOMAIN, text[end] as string)) end++;
  while (end > from && /[.-]/.test(text[end - 1] as string)) end--;
  const labels = text.slice(from, end).split(".");
  // A sentence that goes on without a space, or a picture's size: `me@x.org.Then`, `icon@2x.png`.
  if (/^\d+x$/.test(labels[0] as string)) return 0;
  const good = labels.every((label) => label.length > 0 && label.length <= 63 && !/^-|-$/.test(label));
  return labels.length > 1 && good && LAST_LABEL().test(labels.at(-1) as string) ? end - from : 0;
}
