import type { Dice } from "./dice.ts";
import { type Node, Raw } from "./json_text.ts";

/** Values that programs stumble over. */

export const ODD_TEXTS = [
  "",
  " ",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\udfff\ud800",
  "\u202e\u2066desrever",
  "e\u0301\u0323",
  "👩‍👩‍👧‍👦".repeat(20),
  "İıſK",
  "\r\nX-Injected: 1",
  "'; DROP TABLE documents; --",
  '" OR "a"* NEAR(',
  "{{7*7}}<%= 7*7 %>",
  "<script>alert(1)</script>",
  "../../../../etc/hostname",
  "%2e%2e%2f%00",
  "waypost://documents/../sessions",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "true",
  "-1",
  "1e309",
  "2026-11-31T25:61:61Z",
  "9999999999999999999",
  "x".repeat(129),
  "y".repeat(5_000),
  "\\".repeat(300),
  "()*\"'-".repeat(100),
] as const;

const ODD_NUMBERS = [
  "0",
  "-0",
  "-1",
  "0.5",
  "1e309",
  "-1e309",
  "1e-400",
  "9007199254740993",
  "99999999999999999999999999",
  `1${"0".repeat(400)}`,
  "2147483648",
  "4294967296",
  "1.0",
] as const;

/** No JSON: parsers that are lenient take some of it. */
const NO_JSON = [
  "NaN",
  "Infinity",
  "undefined",
  "01",
  "+1",
  ".5",
  "'a'",
  "0x10",
  "1_000",
  "",
  "\u00a0",
  '"\t"',
  "/**/1",
];

const opened = (depth: number, open: string, close: string): string => open.repeat(depth) + close.repeat(depth);

export function oddNode(dice: Dice): Node {
  return dice.weighted<() => Node>([
    [6, () => dice.pick(ODD_TEXTS)],
    [5, () => new Raw(dice.pick(ODD_NUMBERS))],
    [2, () => null],
    [2, () => dice.chance(0.5)],
    [2, () => []],
    [2, () => new Raw("{}")],
    [1, () => new Raw('{"__proto__":{"admin":true}}')],
    [1, () => new Raw('{"toJSON":1,"then":{"a":1},"length":-1}')],
    [1, () => new Raw(dice.pick(NO_JSON))],
    [1, () => new Raw(opened(dice.pick([5, 30, 62, 65, 500, 20_000]), "[", "]"))],
    [1, () => new Raw(`${'{"a":'.repeat(60)}1${"}".repeat(60)}`)],
    [1, () => Array.from({ length: dice.pick([2, 101, 1_001]) }, () => dice.pick(ODD_TEXTS).slice(0, 20))],
    [1, () => new Raw(`{${Array.from({ length: 500 }, (_, i) => `"k${i}":${i}`).join(",")}}`)],
    [1, () => "z".repeat(dice.pick([70_000, 140_000]))],
  ])();
}
