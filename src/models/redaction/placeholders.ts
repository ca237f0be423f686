import type { Label } from "./types.ts";

/** How placeholders look, as they are written here and as a model may hand them back. */

const LABELS: readonly Label[] = ["EMAIL", "PHONE", "CARD", "IBAN", "KEY", "NAME", "TERM"];
const ANY = LABELS.join("|");

export const placeholder = (label: Label, n: number): string => `[${label}_${n}]`;

/**
 * A placeholder in brackets in any case, perhaps escaped as Markdown does; or bare, then in capitals, and no part of a
 * longer word, path or variable.
 */
export const WRITTEN = new RegExp(
  `\\\\?\\[(${ANY}|${ANY.toLowerCase()}|${LABELS.map((label) => label[0] + label.slice(1).toLowerCase()).join("|")})\\\\?_(\\d{1,6})\\\\?\\]` +
    `|(?<![\\p{L}\\p{N}_$./\\\\-]|\\$\\{)(${ANY})_(\\d{1,6})(?![\\p{L}\\p{N}_=(/-]|\\.\\p{L})`,
  "gu",
);

/** The longest that is written, and what must be known after it. */
export const LONGEST = 20;

/** Numbers that a text uses already in what looks like a placeholder, as `EMAIL_1`, in whatever form. */
export function literals(text: string): string[] {
  return [...text.matchAll(LOOSE)].map(([, label = "", n = ""]) => `${label.toUpperCase()}_${Number(n)}`);
}
const LOOSE = new RegExp(`(${ANY})\\\\?_(\\d{1,6})(?!\\d)`, "giu");

/** Whether a text can be the beginning of a placeholder, or of one with too little after it to be sure. */
export function mayGrow(tail: string): boolean {
  const parts = /^(\\?)(\[?)([A-Za-z]{0,5})(\\?)(_?)(\d{0,6})(\\?)(\]?)$/.exec(tail);
  if (!parts) return false;
  const [, , bracket, word = "", , underscore, digits, , close] = parts;
  const given = bracket ? word.toUpperCase() : word;
  if (!underscore) return !digits && !close && LABELS.some((label) => label.startsWith(given));
  if (close && (!bracket || !digits)) return false;
  return LABELS.includes(given as Label);
}
