import { pattern } from "../../pattern.ts";
import type { Found } from "./types.ts";

/** A run of digits, in groups parted by single spaces or dashes, as long as a card's number can be. */
const RUN = pattern(String.raw`(?<![\p{L}\p{N}_.,+-])\d(?:[ \u00a0-]?\d){11,18}(?![\p{L}\p{N}_]|[.,-]\d)`, "gu");
/** First digits and lengths that issuers have (ISO/IEC 7812), so that other numbers with a fitting checksum stay. */
const ISSUED = [
  /^4(?:\d{12}|\d{15}|\d{18})$/,
  /^5[1-5]\d{14}$/,
  /^2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}$/,
  /^3[47]\d{13}$/,
  /^(?:6011|64[4-9]\d|65\d\d)\d{12}(?:\d{3})?$/,
  /^3(?:0[0-5]|[689]\d)\d{11}$/,
  /^35(?:2[89]|[3-8]\d)\d{12}$/,
  /^62\d{14,17}$/,
  /^(?:50|5[6-8]|6[37])\d{10,17}$/,
  /^220[0-4]\d{12}$/,
];

/** Payment cards: issued ranges with a right check digit. */
export function findCards(text: string): Found[] {
  return [...text.matchAll(RUN())].flatMap((match) => {
    const digits = match[0].replace(/\D/g, "");
    if (!ISSUED.some((range) => range.test(digits)) || !passesLuhn(digits)) return [];
    return [{ label: "CARD", start: match.index, end: match.index + match[0].length }];
  });
}

export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const digit = Number(digits[digits.length - 1 - i]);
    const doubled = i % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}
