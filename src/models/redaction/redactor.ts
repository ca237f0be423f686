import { pattern } from "../../pattern.ts";
import { findAll, termPattern } from "./find.ts";
import { literals, placeholder } from "./placeholders.ts";
import { Restorer } from "./restorer.ts";
import { type Found, KINDS, type Kind, type Label } from "./types.ts";

export interface RedactionAsk {
  kinds: readonly Kind[];
  /** Further words to leave out, whatever they are. */
  terms: readonly string[];
}

export const everything: readonly Kind[] = KINDS;

/**
 * Texts with what is private in them replaced by placeholders: the same value by the same one, numbered in the order in
 * which they come, so that the same texts always give the same result. `restorer` puts the values back.
 */
export interface Redacted {
  texts: string[];
  /** How many different values were replaced. */
  count: number;
  restorer(): Restorer;
}

/** Redacts all texts of one call together. A name found in one of them is also replaced in the others. */
export function redact(texts: readonly string[], { kinds, terms }: RedactionAsk): Redacted {
  const wanted = new Set(kinds);
  const found = texts.map((text) => findAll(text, wanted, termPattern(terms)));
  const known = wanted.has("name") ? namesIn(texts, found) : undefined;
  const taken = new Set(texts.flatMap(literals));
  const numbered = new Map<string, string>();
  const values = new Map<string, string>();
  const next = new Map<Label, number>();

  const placeholderOf = (label: Label, value: string): string => {
    const held = numbered.get(value);
    if (held) return held;
    let n = (next.get(label) ?? 0) + 1;
    while (taken.has(`${label}_${n}`)) n++;
    next.set(label, n);
    const made = placeholder(label, n);
    numbered.set(value, made);
    values.set(`${label}_${n}`, value);
    return made;
  };

  const replaced = texts.map((text, i) => {
    const all = known?.size ? withKnown(text, found[i] as Found[], known) : (found[i] as Found[]);
    let out = "";
    let done = 0;
    for (const { label, start, end } of all) {
      out += text.slice(done, start) + placeholderOf(label, text.slice(start, end));
      done = end;
    }
    return out + text.slice(done);
  });
  return { texts: replaced, count: values.size, restorer: () => new Restorer(values) };
}

const MOST_KNOWN = 500;

/** Parts of the names found, long enough to be told from other words. */
function namesIn(texts: readonly string[], found: readonly Found[][]): Set<string> {
  const parts = new Set<string>();
  for (const [i, list] of found.entries()) {
    for (const { label, start, end } of list) {
      if (label !== "NAME" || parts.size >= MOST_KNOWN) continue;
      const words = (texts[i] as string).slice(start, end).split(/[ \u00a0]/);
      for (const word of words) if (CAPITALISED().test(word) && !isEveryday(word)) parts.add(word);
    }
  }
  return parts;
}

/** Names that are words too, so that only the places where they were found count. */
const EVERYDAY = new Set(
  (
    "Will Mark May April June August Grace Hope Faith Joy Rose Grant Frank Bill Art Rich Dean Guy Chase Young Long Short Black White Green Brown King Bishop Page Price Day Lane Street Hill Wood " +
    "Best Good Strong Small Little Major Sharp Swift Case Field Park Stone Banks Fall Winter Summer Klein Groß Lange Kurz Jung Alt Weiß Schwarz Braun König Kaiser Koch Sommer Winter Berg Stein Bach " +
    "Von Van Der Del The And"
  ).split(" "),
);
const isEveryday = (word: string): boolean => EVERYDAY.has(word);

const CAPITALISED = pattern(String.raw`^\p{Lu}\p{L}{2,}`, "u");
const WORD = pattern(
  String.raw`(?<![\p{L}\p{N}_@./-])\p{Lu}[\p{L}]*(?:['\u2019-]\p{Lu}?[\p{L}]+)*(?![\p{L}\p{N}_@/])`,
  "gu",
);

/** The finds together with further places of known names. */
function withKnown(text: string, found: Found[], known: ReadonlySet<string>): Found[] {
  const result: Found[] = [];
  let i = 0;
  for (const match of text.matchAll(WORD())) {
    const word = match[0].replace(/['\u2019]s$/, "");
    if (!known.has(word)) continue;
    const [start, end] = [match.index, match.index + word.length];
    while (i < found.length && (found[i] as Found).end <= start) result.push(found[i++] as Found);
    const next = found[i];
    if (!next || next.start >= end) result.push({ label: "NAME", start, end });
  }
  return [...result, ...found.slice(i)];
}
