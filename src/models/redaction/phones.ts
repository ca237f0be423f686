import type { Found } from "./types.ts";

/** Between two digits: at most two marks, so that "+49 (0) 30" is one number and a list of numbers is not. */
const GAP = "[ \\u00a0./()-]{0,2}";
/** Letters that are written with spaces around words; Chinese and Japanese stand right beside a number. */
const LETTER = "\\p{Script=Latin}\\p{Script=Cyrillic}\\p{Script=Greek}";
const NOT_BEFORE = `(?<![${LETTER}\\p{N}_+=#@$€£]|\\d[.,:/-])`;
const NOT_AFTER = `(?![${LETTER}\\p{N}_]|[.,:/-]\\d|[ \\u00a0]?[%€$£°])`;
const shape = (body: string): RegExp => new RegExp(`${NOT_BEFORE}(?:${body})${NOT_AFTER}`, "gu");

/** Shapes that are telephone numbers by themselves. */
const SHAPES = [
  // International, with + or 00.
  new RegExp(`(?<![\\p{L}\\p{N}_+])\\+[1-9](?:${GAP}\\d){6,14}(?![\\p{N}_])`, "gu"),
  shape(`00[1-9]\\d?(?:[ \\u00a0./()-]{1,2}\\d{1,9}){1,6}|00[1-9]\\d{9,12}`),
  // North America.
  shape(`(?:1[ .-]?)?(?:\\([2-9]\\d\\d\\)[ .-]?|[2-9]\\d\\d[ .-])[2-9]\\d\\d[ .-]\\d{4}`),
  // National with the trunk 0, in groups or in one.
  shape(`\\(?0[1-9]\\d{0,4}\\)?(?:[ \\u00a0./-]{1,3}\\d{2,8}){1,5}`),
  shape(`0[1-9]\\d{8,9}`),
  // An area code in brackets: Brazil and its neighbours.
  shape(`\\([1-9]\\d{1,3}\\) ?\\d{3,5}[ -]?\\d{3,5}`),
  // Russia: 8 (495) 123-45-67.
  shape(`8[ -]?\\(?\\d{3}\\)?[ -]?\\d{3}[ -]\\d\\d[ -]\\d\\d`),
  // Mobile numbers of China.
  shape(`1[3-9]\\d[ -]\\d{4}[ -]\\d{4}`),
];

/** A word that says a telephone number follows, and the number. */
const SAID = new RegExp(
  "(?:\\b(?:phone|tel|telephone|call|mobile|cell|fax|whatsapp|sms|text me|telefon|telefonnummer|handy|handynummer|mobil|rufnummer|" +
    "portable|móvil|movil|celular|llam[ae](?:me)?|llamar|telefone|ligar|ligue|telemóvel|telefono|cellulare|telefoon|numer telefonu|тел|телефон|номер)" +
    "(?![\\p{L}])|téléphone|tél|teléfono|电话|手机|電話|携帯|전화)" +
    "(?:[ .:#()]|(?:number|no|nummer|numéro|número|numero|is|are|ist|est|es|lautet|at|on|me|under|au|al|a|o|号码|番号|是|は|：)(?![a-z])){0,6}" +
    `((?<!\\d)\\(?\\d(?:${GAP}\\d){6,14})(?![${LETTER}\\d_])`,
  "giu",
);

/** Telephone numbers: by their shape, or by the word before them. Dates, versions and amounts are not. */
export function findPhones(text: string): Found[] {
  const found: Found[] = [];
  const take = (start: number, written: string): void => {
    const kept = written.replace(/[ \u00a0./(-]+$/, "");
    if (isNumber(text, start, kept)) found.push({ label: "PHONE", start, end: start + kept.length });
  };
  for (const pattern of SHAPES) for (const match of text.matchAll(pattern)) take(match.index, match[0]);
  for (const match of text.matchAll(SAID)) {
    const number = match[1] as string;
    take(match.index + match[0].length - number.length, number);
  }
  return found.sort((a, b) => a.start - b.start);
}

const DATE =
  /^(?:[0-3]?\d[./-][0-3]?\d[./-](?:\d{2}|\d{4})|\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{4}|(?:1[5-9]|20)\d\d[./-](?:1[5-9]|20)\d\d)(?!\d|[./]\d)/;
const COUNTED =
  /(?:#|\b(?:order|invoice|ticket|case|ref|reference|id|isbn|issn|sku|rechnung|bestellung|auftrag|nr|art|no|n\u00b0)\.?:? ?)$/i;

function isNumber(text: string, start: number, written: string): boolean {
  const digits = written.replace(/\D/g, "");
  if (digits.length < 7 || digits.length > 15 || new Set(digits).size < 2) return false;
  if (DATE.test(written.replace(/^\(/, ""))) return false;
  return written.startsWith("+") || !COUNTED.test(text.slice(Math.max(0, start - 14), start));
}
