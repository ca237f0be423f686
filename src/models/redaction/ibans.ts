import { pattern } from "../../pattern.ts";
import type { Found } from "./types.ts";

/** Length of a country's IBAN (ISO 13616 registry); other countries' are not found. */
const LENGTHS =
  "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 " +
  "FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 " +
  "LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 " +
  "ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20";
const lengths = new Map(LENGTHS.split(" ").map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]));
const START = pattern(String.raw`(?<![\p{L}\p{N}_])[A-Z]{2}\d{2}(?=[ \u00a0]?[A-Z0-9])`, "giu");
const GOES_ON = pattern(String.raw`[\p{L}\p{N}]`, "u");

/** Bank account numbers with their country's length and a right checksum. */
export function findIbans(text: string): Found[] {
  return [...text.matchAll(START())].flatMap(({ index }) => {
    const length = lengths.get(text.slice(index, index + 2).toUpperCase());
    const end = length === undefined ? undefined : endOf(text, index, length);
    return end === undefined ? [] : [{ label: "IBAN", start: index, end }];
  });
}

function endOf(text: string, start: number, length: number): number | undefined {
  let iban = "";
  let i = start;
  for (; iban.length < length; i++) {
    const char = text[i] ?? "";
    if (/[A-Z0-9]/i.test(char)) iban += char.toUpperCase();
    else if (!/[ \u00a0]/.test(char) || /[ \u00a0]/.test(text[i - 1] ?? "")) return undefined;
  }
  if (GOES_ON().test(text[i] ?? "")) return undefined;
  return checks(iban) ? i : undefined;
}

/** ISO 7064, mod 97-10. */
function checks(iban: string): boolean {
  let rest = 0;
  for (const char of iban.slice(4) + iban.slice(0, 4)) {
    const value = Number.parseInt(char, 36);
    rest = (rest * (value > 9 ? 100 : 10) + value) % 97;
  }
  return rest === 1;
}
