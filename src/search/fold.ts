import { pattern } from "../pattern.ts";

/**
 * The one form of a word that is put into the index and looked for in it, so that the two cannot disagree.
 *
 * Folded is what people type interchangeably: case, width, ligatures, accents, optional vowel points, the digits of other
 * scripts, letters that a keyboard lacks. What changes the word stays: й, ї, ў, ѓ and ќ are letters of their own, and so
 * are the vowel signs of Indic and South-East Asian scripts and the voicing marks of kana.
 */

/** Spellings of a letter, most of them as in Lucene's ASCIIFoldingFilter and ArabicNormalizer; Unicode does not fold these. */
const spellings: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ħ: "h",
  ŧ: "t",
  ı: "i",
  ς: "σ",
  ى: "ي",
  ی: "ي",
  ة: "ه",
  ۃ: "ه",
  ہ: "ه",
  "\u06d5\u0654": "ه",
  ک: "ك",
  ٱ: "ا",
  // The chillu letters of Malayalam, which older texts write as consonant and virama.
  "\u0d7a": "\u0d23\u0d4d",
  "\u0d7b": "\u0d28\u0d4d",
  "\u0d7c": "\u0d30\u0d4d",
  "\u0d7d": "\u0d32\u0d4d",
  "\u0d7e": "\u0d33\u0d4d",
  "\u0d7f": "\u0d15\u0d4d",
};

/** What is replaced or taken out of decomposed lower-case text. */
const foldable = [
  ...Object.keys(spellings),
  // Thai and Lao AM, which decomposition takes apart. Typed as its two parts it often has a tone mark between them.
  "\u0e4d[\u0e48-\u0e4b]?\u0e32|\u0ecd[\u0ec8-\u0ecb]?\u0eb2",
  "[\\p{Nd}--[0-9]]",
  // The general accents of Latin, Greek and Cyrillic, except where they make a letter of its own.
  "(?<![гк])\u0301|(?<![иу])\u0306|(?<!і)\u0308",
  "[\u0300\u0302-\u0305\u0307\u0309-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]",
  // Hebrew points and cantillation; Arabic harakat, Koranic signs and tatweel; Syriac points.
  "[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7]",
  "[\u0610-\u061a\u0640\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u08ca-\u08e1\u08e3-\u08ff]",
  "[\u0711\u0730-\u074a]",
  // Hamza and madda on alef and on the Persian he; on waw and ya they make letters.
  "(?<=[اهہ])[\u0653-\u0655]",
  // What compatibility forms bring along (½ has a slash), and what nobody sees.
  "[^\\p{L}\\p{N}\\p{M}\\p{Co}]|[\\p{DI}\u02b9-\u02bf]",
].join("|");
const folding = pattern(foldable, "gv");
const decimal = pattern(String.raw`\p{Nd}`, "u");

/** Letters that fold to themselves beside any of their like: most words of the commonest scripts need no more. */
const plain = pattern("^[a-z0-9α-ρσ-ωа-яіїєґўђјљњћџא-תءابت-غف-ويऄ-नप-रलळव-हा-्ก-าิ-ืเ-์ぁ-ゖァ-ヺー一-鿿가-힣]*$");

/** Folds one word (see `wordsOf`). Idempotent. Empty when there was nothing but marks in it. */
export function fold(word: string): string {
  const lower = word.toLowerCase();
  if (plain().test(lower)) return lower;
  return word.normalize("NFKD").toLowerCase().replace(folding(), folded).normalize("NFC");
}

function folded(found: string): string {
  const spelling = spellings[found];
  if (spelling !== undefined) return spelling;
  if (/[\u0e32\u0eb2]$/.test(found)) return `${found.slice(1, -1)}${found.endsWith("\u0e32") ? "\u0e33" : "\u0eb3"}`;
  return decimal().test(found) ? digit(found) : "";
}

/** Digits stand in tens, in order, some tens right behind each other. */
function digit(character: string): string {
  const code = character.codePointAt(0) as number;
  let below = 0;
  while (decimal().test(String.fromCodePoint(code - below - 1))) below++;
  return String(below % 10);
}
