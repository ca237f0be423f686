import { expect, test } from "vitest";
import { randomFrom } from "../../test/random.ts";
import { CitationFilter, withoutCitations } from "./prompt_citations.ts";

function whole(text: string, passages = 3) {
  const filter = new CitationFilter(passages);
  const told = filter.push(text) + filter.end();
  return { told, cited: [...filter.cited], invented: [...filter.invented] };
}

test.each([
  ["Monthly [1].", "Monthly [1].", [1], []],
  ["Monthly [9].", "Monthly.", [], [9]],
  ["Monthly[9]", "Monthly", [], [9]],
  ["a [1, 9] b", "a [1] b", [1], [9]],
  ["a [2-5] b", "a [2, 3] b", [2, 3], [4, 5]],
  ["a [1–3].", "a [1–3].", [1, 2, 3], []],
  ["a【2†source】b【7†x】", "a【2†source】b", [2], [7]],
  ["[1][4][3]", "[1][3]", [1, 3], [4]],
  ["`row[9]` and [9]", "`row[9]` and", [], [9]],
  ["```\nrow[9] = x\n``` so [9] [2]", "```\nrow[9] = x\n``` so [2]", [2], [9]],
  ["a stray ` and\nthen [9]", "a stray ` and\nthen", [], [9]],
  ["within [0, 1] or [2024] or [x] or []", "within [0, 1] or [2024] or [x] or []", [], []],
  ["open [", "open [", [], []],
  ["ends in code `a[9]", "ends in code `a[9]", [], []],
])("%s", (text, told, cited, invented) => {
  expect(whole(text)).toEqual({ told, cited, invented });
});

test("without passages every citation is invented", () => {
  expect(whole("So [1], and [2].", 0)).toEqual({ told: "So, and.", cited: [], invented: [1, 2] });
  expect(whole("So [0], 【0】 and [00].", 3)).toEqual({ told: "So, and.", cited: [], invented: [0] });
});

test("the pieces make no difference, and no more than a citation is held back", () => {
  const random = randomFrom(7);
  const parts = [
    "[1]",
    "[9]",
    " [2, 44]",
    "[",
    "]",
    " ",
    "  ",
    "`",
    "```",
    "\n",
    "word",
    "[3-9]",
    "【2】",
    "【8†s】",
    "1",
    ",",
    "a[4]",
    "–",
  ];
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({ length: 1 + random() * 20 }, () => parts[Math.floor(random() * parts.length)]).join("");
    const filter = new CitationFilter(3);
    let told = "";
    for (let i = 0; i < text.length; ) {
      const size = 1 + Math.floor(random() * 5);
      told += filter.push(text.slice(i, i + size));
      i += size;
    }
    told += filter.end();
    expect({ text, told, cited: [...filter.cited], invented: [...filter.invented] }).toEqual({ text, ...whole(text) });
    const outside = told.replace(/```[\s\S]*?(?:```+|$)|`[^`\n]*(?:`|\n|$)/g, "");
    if (!text.includes("`")) expect(whole(outside).invented).toEqual([]);
  }
});

test("plain text is not held back", () => {
  const filter = new CitationFilter(3);
  expect(filter.push("Every word")).toBe("Every word");
  expect(filter.push(" at once (so [not this")).toBe(" at once (so [not this");
  expect(filter.push(" [")).toBe("");
  expect(filter.push("1".repeat(300))).toHaveLength(302);
});

test("a quoted sentence loses its footnotes", () => {
  expect(withoutCitations("It is blue [2], and 【3】 green[12].")).toBe("It is blue, and green.");
});
