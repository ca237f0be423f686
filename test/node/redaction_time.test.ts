import { describe, expect, it } from "vitest";
import { redact } from "../../src/models/redaction/redactor.ts";
import { KINDS } from "../../src/models/redaction/types.ts";

/** Outside workerd, whose clock stands still while code runs. The processor's time counts: others may use it as well. */
describe("a megabyte made to be slow", () => {
  const MB = 1_000_000;
  const fill = (piece: string, length: number): string =>
    piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
  const ATTACKS = [
    "a",
    "a.",
    "@",
    "a@",
    "a@a.",
    "1",
    "1 ",
    "1-",
    "+1",
    "(1",
    "0 1",
    "01/",
    "4111 ",
    "-",
    "eyJ",
    "-eyJaaaaaaaa.eyJ",
    "eyJaaaaaaaaaa.eyJaaaa.",
    "sk-",
    "sk-aaaaaaaaaaaaaaaaaaaaa",
    "password: ",
    "password",
    "secret is ",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ",
    "://",
    "://a:",
    "Bearer ",
    "Bearer aaaaaaaaaaaaaaaaaaaaaaaa",
    "A",
    "Aa ",
    "A. ",
    "Anna ",
    "Anna-",
    "Mr ",
    "Dear A",
    "Best,\n",
    "Best,\n ",
    "\n",
    " ",
    "my name is ",
    "tel ",
    "tel: 1 ",
    "call me on ",
    "GB29 ",
    "GB29A",
    "[EMAIL_1]",
    "[EMAIL_",
    "EMAIL_1",
    "\\",
    "de la ",
    "A de la ",
    "Étienne-",
    "é",
    "x's ",
  ];

  /** Milliseconds of CPU for the way there and back. */
  const taken = (text: string): number => {
    const before = process.cpuUsage();
    const { texts, restorer } = redact([text], {
      kinds: KINDS,
      terms: ["aaaaaaaaaaaaab", "1 1 1 1 2", "Anna Anna B"],
    });
    const back = restorer();
    const out = back.push(texts[0] as string) + back.end();
    const { user, system } = process.cpuUsage(before);
    expect(out.length).toBeGreaterThan(0);
    return (user + system) / 1_000;
  };

  // Sixteen times the length: in the square of it, that is 256 times the time.
  it.each(ATTACKS)("%j takes time that grows with its length", (attack) => {
    const short = Math.max(10, taken(fill(attack, MB / 16)));
    expect(taken(fill(attack, MB)) / short).toBeLessThan(64);
  });
});
