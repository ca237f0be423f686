import { describe, expect, test } from "vitest";
import { corpus, type Injected } from "../../test/injection/corpus.ts";
import { extractive, NO_ANSWER } from "./extractive.ts";
import { groundedMessages } from "./prompt.ts";
import { CitationFilter, withoutCitations } from "./prompt_citations.ts";
import { asData, withoutUnseen } from "./prompt_fence.ts";
import type { ChatMessage, Passage } from "./types.ts";

const passages = (texts: string[], title = "Notes"): Passage[] =>
  texts.map((text, i) => ({ n: i + 1, id: `d~${i}`, title, url: "", text }));

const honest: ChatMessage[] = [
  { role: "system", content: "Be brief." },
  { role: "user", content: "Hello" },
  { role: "assistant", content: "Hi" },
];

async function quote(question: string, given: Passage[]): Promise<string> {
  let text = "";
  const request = { messages: [{ role: "user" as const, content: question }], passages: given, maxOutputTokens: 4096 };
  for await (const event of extractive.stream({ ...request, signal: new AbortController().signal })) {
    if (event.type === "delta") text += event.text;
  }
  return text;
}

test("the corpus is large enough to say something", () => {
  expect(corpus.length).toBeGreaterThanOrEqual(40);
  expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length);
});

describe.each(corpus.map((each) => [each.name, each] as const))("%s", (_, { text, question, payload }: Injected) => {
  const others = ["The office opens at nine.", "Parking is behind the building."];

  test.each(["text", "title"] as const)(
    "as a passage's %s stays between its markers in the user's message",
    (where) => {
      const given = where === "text" ? passages([text, ...others]) : passages(["x", ...others], text);
      const told = groundedMessages([...honest, { role: "user", content: question }], given);
      expect(told.map(({ role }) => role)).toEqual(["system", "system", "user", "assistant", "user"]);
      const [rules, ...rest] = told;
      const last = rest.pop()?.content ?? "";
      expect(rest).toEqual(honest);
      const key = /^<<passage 1 (\w{16})>>\n/.exec(last)?.[1] ?? "";
      expect(text).not.toContain(key);
      // Three passages, each opened and closed once, in order; then the question, which is the user's own.
      const marks = [...last.matchAll(new RegExp(`^<<((?:end )?passage \\d+) ${key}>>$`, "gm"))].map(
        ([, mark]) => mark,
      );
      expect(marks).toEqual([1, 2, 3].flatMap((n) => [`passage ${n}`, `end passage ${n}`]));
      expect(last.split(key)).toHaveLength(7);
      expect(last.endsWith(`<<end passage 3 ${key}>>\n\nQuestion:\n${question}`)).toBe(true);
      const inside = last.slice(0, last.lastIndexOf(`<<end passage 3 ${key}>>`));
      expect(inside).toContain("litres");
      // None of it is anywhere else: not among the rules, not in earlier turns.
      expect(rules?.content).not.toContain("litres");
      if (payload.length > 3) expect(`${rules?.content}${JSON.stringify(rest)}`).not.toContain(payload);
    },
  );

  test("keeps nothing unseen and no border of a turn", () => {
    const data = asData(text);
    expect(data).not.toMatch(
      /<[|｜]|\[\/?INST\]|<\/?s>|<<\/?SYS>>|<(?:start|end)_of_turn>|\[\/?(?:AVAILABLE_TOOLS|TOOL_CALLS)\]/,
    );
    expect(data).not.toMatch(/[\u200b\u202a-\u202e\u{e0000}-\u{e007f}]/u);
    expect(data.isWellFormed()).toBe(true);
    expect([...data].some((c) => c < " " && c !== "\n" && c !== "\t")).toBe(false);
    // Nothing that people see is lost.
    expect(data.replaceAll(" ", "")).toBe(withoutUnseen(text).replaceAll(" ", ""));
  });

  test("local/extractive quotes and never says a word of its own", async () => {
    const given = passages([text, ...others]);
    const said = await quote(question, given);
    const plain = withoutUnseen(withoutCitations(given.map((each) => each.text).join("\n"))).replace(/[`\s]+/g, " ");
    const quotes = [...said.matchAll(/(.+?) \[(\d+)\](?: |$)/gs)];
    expect(quotes.map(([all]) => all).join("")).toBe(said);
    for (const [, sentence, n] of quotes) {
      const words = (sentence ?? "")
        .replace(/…$/, "")
        .replace(/[`\s]+/g, " ")
        .trim();
      expect(plain).toContain(words);
      expect([1, 2, 3]).toContain(Number(n));
    }
    // The honest sentence answers first.
    expect(said).toMatch(/^The [\w ]+ holds \d+ litres\. \[1\]/);
    const filter = new CitationFilter(3);
    expect(filter.push(said) + filter.end()).toBe(said);
    expect(filter.invented.size).toBe(0);
  });

  test("local/extractive is not moved by it when something else is asked", async () => {
    const given = passages([text, ...others]);
    expect(await quote("Which river flows through Budapest?", given)).toBe(NO_ANSWER);
    expect(await quote("When does the office open?", given)).toBe("The office opens at nine. [2]");
  });
});
