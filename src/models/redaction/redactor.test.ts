import { describe, expect, it } from "vitest";
import { corpus } from "./corpus.ts";
import { redact } from "./redactor.ts";
import { KINDS } from "./types.ts";

const all = { kinds: KINDS, terms: [] };
const restored = (answer: string, texts: string[], sizes: (left: number) => number = (left) => left): string => {
  const restorer = redact(texts, all).restorer();
  let out = "";
  for (let at = 0; at < answer.length; ) {
    const size = Math.max(1, sizes(answer.length - at));
    out += restorer.push(answer.slice(at, at + size));
    at += size;
  }
  return out + restorer.end();
};

const MAIL = ["Write to anna@example.org, then to bob@example.org, then to anna@example.org."];

describe("redact", () => {
  it("gives a value the same placeholder everywhere in a call, and the same texts the same result", () => {
    const texts = [...MAIL, "bob@example.org or +1 415 555 2671", "nothing here"];
    const {
      texts: [first, second, third],
      count,
    } = redact(texts, all);
    expect(first).toBe("Write to [EMAIL_1], then to [EMAIL_2], then to [EMAIL_1].");
    expect(second).toBe("[EMAIL_2] or [PHONE_1]");
    expect(third).toBe("nothing here");
    expect(count).toBe(3);
    expect(redact(texts, all).texts).toEqual([first, second, third]);
  });

  it("leaves out only the kinds and words that were asked for", () => {
    const text = "Anna Schmidt, anna@example.org, works on Project Falcon and on falconry.";
    expect(redact([text], { kinds: ["email"], terms: [] }).texts[0]).toContain("Anna Schmidt, [EMAIL_1]");
    const named = redact([text], { kinds: [], terms: ["project  falcon", "ann"] }).texts[0];
    expect(named).toBe("Anna Schmidt, anna@example.org, works on [TERM_1] and on falconry.");
    expect(redact(["a.b (c) and A.B (C) but axb"], { kinds: [], terms: ["a.b (c)"] }).texts[0]).toBe(
      "[TERM_1] and [TERM_2] but axb",
    );
    expect(redact(["a well-known tea"], { kinds: [], terms: ["well-known"] }).texts[0]).toBe("a [TERM_1] tea");
  });

  it("replaces parts of a name found elsewhere, in every text of the call", () => {
    const { texts } = redact(
      ["My name is Zebulon Quimby.", "Quimby wrote it, not Quimbys or Will.", "so said Zebulon's friend"],
      all,
    );
    expect(texts).toEqual([
      "My name is [NAME_1].",
      "[NAME_2] wrote it, not Quimbys or Will.",
      "so said [NAME_3]'s friend",
    ]);
  });

  it("takes other placeholders when a text holds one already, in whatever form", () => {
    const texts = ["Explain [EMAIL_1] and email_2 and EMAIL\\_3 to anna@example.org"];
    const {
      texts: [text],
      restorer,
    } = redact(texts, all);
    expect(text).toBe("Explain [EMAIL_1] and email_2 and EMAIL\\_3 to [EMAIL_4]");
    const back = restorer();
    expect(back.push(text as string) + back.end()).toBe(texts[0]);
  });

  it("gives every line of the corpus back as it was, whatever the pieces", () => {
    for (const { text } of corpus) {
      const { texts, restorer } = redact([text], all);
      const redacted = texts[0] as string;
      for (const size of [1, 3, redacted.length]) {
        const back = restorer();
        let out = "";
        for (let at = 0; at < redacted.length; at += size) out += back.push(redacted.slice(at, at + size));
        expect(out + back.end()).toBe(text);
      }
    }
  });
});

describe("the restorer", () => {
  const SAME: [answer: string, shown: string][] = [
    ["Mail [EMAIL_1]!", "Mail anna@example.org!"],
    ["[email_1], [Email_2]", "anna@example.org, bob@example.org"],
    ["**[EMAIL_1]** or EMAIL_2.", "**anna@example.org** or bob@example.org."],
    ["\\[EMAIL\\_1\\] (EMAIL_1) <EMAIL_2>", "anna@example.org (anna@example.org) <bob@example.org>"],
    ["[EMAIL_1](mailto:[EMAIL_1])", "[anna@example.org](mailto:anna@example.org)"],
    ["[EMAIL_1][EMAIL_2]", "anna@example.orgbob@example.org"],
    ["EMAIL_1", "anna@example.org"],
    ["[[EMAIL_1]]", "[anna@example.org]"],
  ];
  const KEPT = [
    "[EMAIL_12] [EMAIL_3] [PHONE_1] EMAIL_10",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a model may write
    "MY_EMAIL_1 EMAIL_1_OLD email_1 = process.env.EMAIL_1; $EMAIL_1 ${EMAIL_1}",
    "EMAIL_1=x EMAIL_1(…) path/EMAIL_1 EMAIL_1.txt",
    "[EMAIL_] [EMAIL] [EMAIL_1 [1] [E",
    "[EMAIL 1] EMAIL-1 [EMAIL_1a] [EMAIL_x]",
    "a trailing [EMAIL_",
    "a trailing \\",
  ];
  const cuts: [string, (left: number) => number][] = [
    ["whole", (left) => left],
    ["by one character", () => 1],
    ["by two", () => 2],
    ["by seven", () => 7],
  ];

  it.each(cuts)("puts values back and corrupts nothing that only looks alike, %s", (_, sizes) => {
    for (const [answer, shown] of SAME) expect(restored(answer, MAIL, sizes)).toBe(shown);
    for (const answer of KEPT.slice(0, 3)) expect(restored(answer, MAIL, sizes)).toBe(answer);
    for (const answer of KEPT.slice(4)) expect(restored(answer, MAIL, sizes)).toBe(answer);
  });

  it("is the same for any two cuts", () => {
    const answer = [...SAME.map(([text]) => text), ...KEPT].join(" · ");
    const whole = restored(answer, MAIL);
    for (let i = 0; i <= answer.length; i++) {
      const restorer = redact(MAIL, all).restorer();
      expect(restorer.push(answer.slice(0, i)) + restorer.push(answer.slice(i)) + restorer.end()).toBe(whole);
    }
  });

  it("holds back no more than a placeholder's length, and nothing when there is nothing to put back", () => {
    const restorer = redact(MAIL, all).restorer();
    let given = 0;
    const answer =
      "A long answer [EMAIL_1] with EMAIL_ and [NAME and [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ and \\\\\\\\\\\\\\\\\\\\\\ ".repeat(
        5,
      );
    const plain = redact(["nothing"], all).restorer();
    for (const [i, char] of [...answer].entries()) {
      given += restorer.push(char).replaceAll("anna@example.org", "[EMAIL_1]").length;
      expect(i + 1 - given).toBeLessThanOrEqual(22);
      expect(plain.push(char)).toBe(char);
    }
  });

  it("does not look again at what it put back", () => {
    const texts = ["token=EMAIL_x9k2 and a@example.org"];
    const { restorer, texts: redacted } = redact(["My name is Emil. secret: [KEY_x1]z a@example.org"], all);
    const back = restorer();
    expect(back.push(redacted[0] as string) + back.end()).toBe("My name is Emil. secret: [KEY_x1]z a@example.org");
    expect(restored("[EMAIL_1]", texts)).toBe("a@example.org");
  });
});
