import { findCards } from "./cards.ts";
import { findEmails } from "./emails.ts";
import { findIbans } from "./ibans.ts";
import { findNames } from "./names.ts";
import { findPhones } from "./phones.ts";
import { findSecrets } from "./secrets.ts";
import type { Finder, Found, Kind } from "./types.ts";

/** In the order in which overlapping finds are believed: a secret may hold an address, a card number may look like a telephone's. */
const FINDERS: readonly [kind: Kind, find: Finder][] = [
  ["key", findSecrets],
  ["email", findEmails],
  ["card", findIbans],
  ["card", findCards],
  ["phone", findPhones],
  ["name", findNames],
];

/** What is private in a text, in order, without overlaps. What the caller named goes first. */
export function findAll(text: string, kinds: ReadonlySet<Kind>, terms: RegExp | undefined): Found[] {
  const ranked = [
    ...(terms ? [[...text.matchAll(terms)].map((match) => at(match.index, match[0]))] : []),
    ...FINDERS.filter(([kind]) => kinds.has(kind)).map(([, find]) => find(text)),
  ];
  return ranked.reduce(merged, []);
}

const at = (start: number, term: string): Found => ({ label: "TERM", start, end: start + term.length });

/** Both lists by place; where they overlap, `first` stands. `second` may overlap itself: then its earlier, longer one stands. */
function merged(first: Found[], second: Found[]): Found[] {
  const result: Found[] = [];
  let i = 0;
  const ordered = [...second].sort((a, b) => a.start - b.start || b.end - a.end);
  for (const one of ordered) {
    while (i < first.length && (first[i] as Found).start < one.end) result.push(first[i++] as Found);
    const last = result.at(-1);
    if (!last || last.end <= one.start) result.push(one);
  }
  return [...result, ...first.slice(i)];
}

/** Finds whole words, whatever their case; undefined when there is nothing to find. */
export function termPattern(terms: readonly string[]): RegExp | undefined {
  const wanted = [...new Set(terms.map((term) => term.trim()).filter(Boolean))].sort((a, b) => b.length - a.length);
  if (wanted.length === 0) return undefined;
  const each = wanted.map((term) => term.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&").replace(/\s+/g, "\\s{1,3}"));
  return new RegExp(`(?<![\\p{L}\\p{N}_])(?:${each.join("|")})(?![\\p{L}\\p{N}_])`, "giu");
}
