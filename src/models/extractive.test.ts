import { describe, expect, test } from "vitest";
import { extractive, NO_ANSWER } from "./extractive.ts";
import { selectSentences } from "./extractive_select.ts";
import { splitSentences } from "./extractive_sentences.ts";
import type { ModelEvent, Passage } from "./types.ts";

const passages: Passage[] = [
  {
    n: 1,
    id: "d1~0",
    title: "Kettle manual",
    url: "",
    text: "The kettle holds 1.7 litres. It switches itself off when the water boils. Descale the kettle once a month with citric acid.",
  },
  {
    n: 2,
    id: "d2~0",
    title: "Warranty",
    url: "",
    text: "# Warranty\nThe warranty of the kettle lasts two years from the day of purchase. Keep the receipt. Damage by limescale is not covered by the warranty.",
  },
  { n: 3, id: "d3~0", title: "Office", url: "", text: "The office opens at nine. Parking is behind the building." },
];

async function ask(question: string, given = passages, maxOutputTokens = 1000, signal = new AbortController().signal) {
  const events: ModelEvent[] = [];
  const messages = [{ role: "user" as const, content: question }];
  for await (const event of extractive.stream({ messages, passages: given, maxOutputTokens, signal }))
    events.push(event);
  const text = events.map((event) => (event.type === "delta" ? event.text : "")).join("");
  return { events, text, finish: events.at(-1) };
}

describe("local/extractive", () => {
  test.each([
    ["How long does the warranty of the kettle last?", "lasts two years from the day of purchase. [2]"],
    ["How often should I descale the kettle?", "Descale the kettle once a month with citric acid. [1]"],
    ["Where can I find parking?", "Parking is behind the building. [3]"],
    ["When does the office open?", "The office opens at nine. [3]"],
  ])("%s", async (question, expected) => {
    const { text } = await ask(question);
    expect(text.indexOf(expected)).toBeGreaterThanOrEqual(0);
    expect(text.split(/(?<=\])\s/)[0]).toContain(expected);
  });

  test.each([
    ["Какой чай пьют каждый рабочий день?", "Каждый рабочий день здесь пьют зелёный чай.", "Музей закрыт."],
    ["зеленый чай", "Каждый рабочий день здесь пьют зелёный чай.", "Музей закрыт."],
    ["Τι είναι η Ελλάδα;", "Η Ελλάδα είναι χώρα στη Μεσόγειο.", "Ο κώδικας είναι ανοιχτός."],
    ["पुस्तकालय कब खुलता है?", "पुस्तकालय सुबह नौ बजे खुलता है।", "चाय गरम है।"],
    ["متى تفتح المكتبة؟", "تَفْتَحُ المَكْتَبَةُ في التاسعة.", "الشاي ساخن."],
    ["図書館はいつ開く?", "図書館は九時に開く。", "お茶は熱い。"],
    ["茶", "お茶は熱い。", "図書館は九時に開く。"],
    ["ห้องสมุดเปิดกี่โมง", "ห้องสมุดเปิดเก้าโมงเช้า", "ชาร้อน"],
  ])("answers %s in its language", async (question, sentence, other) => {
    const given = [other, sentence].map((text, i) => ({ n: i + 1, id: `d${i}~0`, title: "-", url: "", text }));
    expect((await ask(question, given)).text).toContain(`${sentence} [2]`);
  });

  test.each(["What is the capital of Mongolia?", "Who painted the Mona Lisa?", "the of and", "???"])(
    "%s: says plainly that nothing answers it",
    async (question) => {
      expect((await ask(question)).text).toBe(NO_ANSWER);
    },
  );

  test("a question of two parts is answered from both passages", async () => {
    const { text } = await ask("When does the office open, and how long does the warranty last?");
    expect(text).toContain("The office opens at nine. [3]");
    expect(text).toContain("two years from the day of purchase. [2]");
  });

  test("a passage that only shares a common word is no answer", async () => {
    expect((await ask("Which colour and voltage does the kettle have?")).text).toBe(NO_ANSWER);
  });

  test("without passages there is no answer", async () => {
    expect((await ask("How long does the warranty last?", [])).text).toBe(NO_ANSWER);
  });

  test("every sentence is quoted from the passage it cites", async () => {
    for (const question of ["kettle warranty limescale damage", "water boils kettle off", "receipt warranty"]) {
      const { text } = await ask(question);
      const quotes = [...text.matchAll(/(.+?) \[(\d)\](?: |$)/g)];
      expect(quotes.length).toBeGreaterThan(0);
      expect(quotes.length).toBeLessThanOrEqual(4);
      for (const [, sentence, n] of quotes) {
        expect(passages[Number(n) - 1]?.text.replace(/\s+/g, " ")).toContain(sentence);
      }
    }
  });

  test("does not repeat itself when passages do", () => {
    const same = [1, 2, 3].map((n) => ({ ...(passages[1] as Passage), n }));
    const chosen = selectSentences("How long does the warranty last?", same);
    expect(new Set(chosen.map(({ text }) => text)).size).toBe(chosen.length);
  });

  test("streams sentence by sentence, counts tokens, costs nothing", async () => {
    const { events, finish } = await ask("When does the office open, and how long does the warranty last?");
    expect(events.length).toBeGreaterThan(2);
    expect(finish).toMatchObject({ type: "finish", reason: "stop", estimated: false });
    if (finish?.type !== "finish") return;
    expect(finish.usage.input).toBeGreaterThan(50);
    expect(finish.usage.output).toBeGreaterThan(5);
    expect(extractive.info).toMatchObject({ price: { input: 0, output: 0 }, priceClass: "local", needsPassages: true });
  });

  test("keeps to the output limit, at a sentence's end", async () => {
    const { text, finish } = await ask("When does the office open, and how long does the warranty last?", passages, 25);
    expect(text).toMatch(/\]$/);
    expect(finish).toMatchObject({ reason: "length" });
  });

  test("stops when cancelled", async () => {
    await expect(ask("kettle", passages, 100, AbortSignal.abort())).rejects.toMatchObject({ code: "client_closed" });
  });
});

describe("what is worth quoting", () => {
  const passage = (text: string, title = "Notes") => ({ n: 1, id: "a~0", title, url: "", text });

  test("is a statement, not the label or the question with the same words", () => {
    const text = "Kettle descaling\n\nHow often does a kettle need descaling?\n\nA kettle needs descaling every month.";
    expect(selectSentences("How often does a kettle need descaling?", [passage(text)])[0]?.text).toBe(
      "A kettle needs descaling every month.",
    );
  });

  test("is not the heading that repeats the title, unless there is nothing else", () => {
    const quoted = (text: string) =>
      selectSentences("descaling", [passage(text, "Descaling")]).map((each) => each.text);
    expect(quoted("# Descaling\n\nVinegar does for descaling.")).toEqual(["Vinegar does for descaling."]);
    expect(quoted("# Descaling")).toEqual(["Descaling"]);
  });
});

describe("splitSentences", () => {
  test("ends sentences at full stops, headings, list items and blank lines", () => {
    expect(splitSentences("# Title\nOne is here. Two\nis there!\n\n- three\n- four\n\n---\n")).toEqual([
      "Title",
      "One is here.",
      "Two is there!",
      "three",
      "four",
    ]);
  });

  test("cuts endless ones at a word", () => {
    const [sentence] = splitSentences("word ".repeat(1000));
    expect(sentence?.length).toBeLessThanOrEqual(601);
    expect(sentence).toMatch(/word…$/);
  });
});
