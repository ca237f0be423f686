import { describe, expect, it } from "vitest";
import { matchExpression, queryTerms } from "./match.ts";
import { occurrenceFinder } from "./occurrences.ts";
import { rerank } from "./proximity.ts";
import { bestOfEach, diversify } from "./ranking.ts";
import { snippet } from "./snippet.ts";
import { stem } from "./stem.ts";
import { subwords, tokenize } from "./tokens.ts";

describe("words", () => {
  it("are folded and keep their place", () => {
    expect(tokenize("Café, ÉTÉ-9!")).toEqual([
      { word: "cafe", start: 0, end: 4 },
      { word: "ete", start: 6, end: 9 },
      { word: "9", start: 10, end: 11 },
    ]);
  });

  it("of scripts without spaces are the pairs of characters", () => {
    expect(tokenize("東京都").map(({ word }) => word)).toEqual(["東京", "京都"]);
  });

  it.each([
    ["getUserName", "get user name"],
    ["parseHTTPResponse2", "parse http response"],
    ["get_user_name", "getusername"],
    ["MAX_VALUE", "maxvalue"],
    ["plain words only, _private and a-b", ""],
  ])("%s hide the parts %j", (text, parts) => {
    expect(subwords(text).join(" ")).toBe(parts);
  });

  it.each([
    ["caresses", "caress"],
    ["ponies", "poni"],
    ["agreed", "agre"],
    ["hopping", "hop"],
    ["filing", "file"],
    ["relational", "relat"],
    ["vietnamization", "vietnam"],
    ["controllers", "control"],
    ["sky", "sky"],
    ["happy", "happi"],
    ["ace", "ac"],
    ["é", "é"],
  ])("%s has the stem %s", (word, root) => {
    expect(stem(word)).toBe(root);
  });
});

describe("a query", () => {
  it("keeps what it is about, and a repeated word as weight", () => {
    expect(queryTerms("What is the flow of the flows in a wing?")).toEqual([
      { word: "flow", stem: "flow", count: 2 },
      { word: "wing", stem: "wing", count: 1 },
    ]);
    expect(matchExpression("flow of the flows in a wing")).toBe('"flow" OR "flow" OR "wing"');
  });

  it("of function words only keeps them all", () => {
    expect(matchExpression("to be or not")).toBe('"to" OR "be" OR "or" OR "not"');
  });

  it("looks for the parts of its identifiers too", () => {
    expect(matchExpression("getUserName")).toBe('"getusername" OR "get" OR "user" OR "name"');
  });

  it("in a script without spaces looks for pairs, and for a single character within them", () => {
    expect(matchExpression("図書館")).toBe('"図書" OR "書館"');
    expect(matchExpression("차 ไทย")).toBe('"차" * OR "ไท" OR "ทย"');
  });

  it.each(["", "   ", '"', "* ^ ( ) : - NEAR(", "\u0000", "\uD800", "!!!"])(
    "without words gives at most words: %j",
    (query) => {
      expect(matchExpression(query)).toMatch(/^(?:"near")?$/);
    },
  );

  it("of any length stays small", () => {
    const long = Array.from({ length: 20_000 }, (_, i) => `w${i}`).join(" ");
    expect(queryTerms(long)).toHaveLength(64);
    expect(matchExpression("same ".repeat(20_000))).toBe('"same" OR "same" OR "same"');
    expect(matchExpression("x".repeat(100_000)).length).toBeLessThan(300);
  });
});

describe("proximity", () => {
  const terms = queryTerms("boundary layer separation");
  const far = `boundary ${"filler ".repeat(20)} layer ${"filler ".repeat(20)} separation`;
  const near = `${"filler ".repeat(20)} separation of the boundary layers ${"filler ".repeat(20)}`;

  it("lifts texts where the words stand together, and names them", () => {
    const [best, second] = rerank(
      [far, near].map((text) => ({ text, score: 5 })),
      terms,
    );
    expect(best).toMatchObject({ candidate: { text: near }, matched: ["boundary", "layer", "separation"] });
    expect(best?.score).toBeGreaterThan(second?.score as number);
  });

  it("names what was met of words without spaces as the query has it", () => {
    const matched = (query: string, text: string) => rerank([{ text, score: 1 }], queryTerms(query))[0]?.matched;
    expect(matched("図書館", "市立図書館の本")).toEqual(["図書館"]);
    expect(matched("東京の天気", "東京都は天気がいい")).toEqual(["東京", "天気"]);
    expect(matched("館", "図書館")).toEqual(["館"]);
    expect(matched("図", "図書館")).toEqual(["図"]);
    expect(matched("ไทย ภาษา", "เรียนภาษาไทยวันนี้")).toEqual(["ไทย", "ภาษา"]);
  });

  it("does not overrule a much better BM25 score", () => {
    const filler = { text: "layer", score: 1 };
    const ranked = rerank([{ text: far, score: 10 }, { text: near, score: 3 }, filler], terms);
    expect(ranked.map(({ candidate }) => candidate.text)).toEqual([far, near, "layer"]);
  });

  it("of nothing is nothing, and of one word leaves BM25's order", () => {
    expect(rerank([], terms)).toEqual([]);
    const one = queryTerms("layer");
    const ranked = rerank(
      [
        { text: "layer", score: 2 },
        { text: "layer layer", score: 1 },
      ],
      one,
    );
    expect(ranked.map(({ score }) => score)).toEqual([1, 0]);
  });
});

describe("an answer", () => {
  const ranked = ["a1", "a2", "a3", "a4", "a5", "b1"];
  const group = (item: string) => item.charAt(0);

  it("holds three passages of a document before another had its turn", () => {
    expect(diversify(ranked, group, 4)).toEqual(["a1", "a2", "a3", "b1"]);
    expect(diversify(ranked, group, 5)).toEqual(["a1", "a2", "a3", "a4", "b1"]);
    expect(diversify(ranked, group, 10)).toEqual(ranked);
  });

  it("scores a document by its best passage", () => {
    expect(bestOfEach(ranked, group)).toEqual(["a1", "b1"]);
  });
});

describe("a snippet", () => {
  const cut = (text: string, query: string, length: number) => {
    const terms = queryTerms(query);
    return snippet(text, occurrenceFinder(terms)(text), length);
  };
  const text = `${"opening words ".repeat(30)}the needle lies in a haystack ${"closing words ".repeat(30)}`;

  it("shows the place with most query words", () => {
    const shown = cut(`needle ${text}`, "needles haystacks", 100);
    expect(shown).toMatch(/^… .*needle lies in a haystack.* …$/);
    expect(shown.length).toBeLessThan(110);
  });

  it("shows the place in a text without spaces, and without splitting its characters", () => {
    const thai = "กำลังดื่มน้ำอยู่".repeat(40);
    for (let length = 100; length < 130; length++) {
      const shown = cut(`${thai}หนังสือ${thai}`, "หนังสือ", length);
      expect(shown).toMatch(/^… \P{M}.*หนังสือ.*[^…] …$/u);
    }
    expect(cut(`${"天気".repeat(300)}図書館${"天気".repeat(300)}`, "図書館", 120)).toContain("図書館");
  });

  it("is the whole of a short text, and the beginning where nothing matched", () => {
    expect(cut("  short\n text ", "needle", 100)).toBe("short text");
    expect(cut(text, "absent", 50)).toMatch(/^opening words .* …$/);
  });

  it("parts no surrogate pair", () => {
    expect(cut("😀".repeat(500), "x", 101).isWellFormed()).toBe(true);
    expect(cut(`${"😀".repeat(500)}x ${"😀".repeat(500)}`, "x", 100).isWellFormed()).toBe(true);
  });
});
