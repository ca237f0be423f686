/**
 * Porter's stemmer (M. F. Porter, "An algorithm for suffix stripping", Program 14(3), 1980), as FTS5's `porter` applies
 * it, so that words can be matched outside the index the way they are matched inside it.
 */

const vowelRun = "(?:[aeiou]|(?<=[^aeiou])y)";
const hasVowel = /[aeiou]|[^aeiou]y/;
const measurePattern = /(?:[aeiou]|(?<=[^aeiou])y)+(?:[^aeiouy]|(?<=[aeiou])y|(?<=[aeiou]y)y)+/g;
/** Ends consonant-vowel-consonant, the last not w, x or y: such a stem lost its final e (hop|ing, but fil(e)|ing). */
const shortEnd = new RegExp(`(?:[^aeiouy]|^y|(?<=[aeiou])y)${vowelRun}[^aeiouwxy]$`);

const step2 =
  pairs(`ational ate tional tion enci ence anci ance izer ize logi log bli ble alli al entli ent eli e ousli ous
  ization ize ation ate ator ate alism al iveness ive fulness ful ousness ous aliti al iviti ive biliti ble`);
const step3 = pairs("icate ic ative - alize al iciti ic ical ic ful - ness -");
const step4 = suffixes("al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize");

function pairs(list: string): Map<string, string> {
  const words = list.trim().split(/\s+/);
  const map = new Map<string, string>();
  for (let i = 0; i < words.length; i += 2)
    map.set(words[i] as string, words[i + 1] === "-" ? "" : (words[i + 1] as string));
  return new Map([...map].sort(([a], [b]) => b.length - a.length));
}

function suffixes(list: string): string[] {
  return list.split(" ").sort((a, b) => b.length - a.length);
}

/** Number of vowel-consonant sequences: Porter's m. */
function measure(stem: string): number {
  return stem.match(measurePattern)?.length ?? 0;
}

function plural(word: string): string {
  if (word.endsWith("sses")) return word.slice(0, -2);
  if (word.endsWith("ies")) return word.slice(0, -2);
  return word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;
}

function pastOrGerund(word: string): string {
  if (word.endsWith("eed")) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const ending = word.endsWith("ed") ? 2 : word.endsWith("ing") ? 3 : 0;
  const stem = word.slice(0, word.length - ending);
  if (!ending || !hasVowel.test(stem)) return word;
  if (/(?:at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (/([^aeioulsz])\1$/.test(stem)) return stem.slice(0, -1);
  return measure(stem) === 1 && shortEnd.test(stem) ? `${stem}e` : stem;
}

function replaceSuffix(word: string, table: Map<string, string>): string {
  for (const [suffix, replacement] of table) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, -suffix.length);
    return measure(stem) > 0 ? stem + replacement : word;
  }
  return word;
}

function dropSuffix(word: string): string {
  for (const suffix of step4) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, -suffix.length);
    if (suffix === "ion" && !/[st]$/.test(stem)) return word;
    return measure(stem) > 1 ? stem : word;
  }
  return word;
}

function finalLetters(word: string): string {
  let result = word;
  if (result.endsWith("e")) {
    const stem = result.slice(0, -1);
    const m = measure(stem);
    if (m > 1 || (m === 1 && !shortEnd.test(stem))) result = stem;
  }
  return result.endsWith("ll") && measure(result) > 1 ? result.slice(0, -1) : result;
}

/** The stem of a folded word. Words that are not plain ASCII letters and digits stay as they are. */
export function stem(word: string): string {
  if (word.length < 3 || word.length > 64 || !/^[a-z0-9]+$/.test(word)) return word;
  let result = pastOrGerund(plural(word));
  if (result.endsWith("y") && hasVowel.test(result.slice(0, -1))) result = `${result.slice(0, -1)}i`;
  return finalLetters(dropSuffix(replaceSuffix(replaceSuffix(result, step2), step3)));
}
