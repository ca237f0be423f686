import { expect, test } from "vitest";
import type { SearchHit } from "../vault/types.ts";
import { Citation, checkedAnswer } from "./citations.ts";

const hit = (n: number): SearchHit => ({
  id: `doc~${n}`,
  kind: "document",
  document_id: "doc",
  session_id: null,
  title: "Doc",
  heading: `Part ${n}`,
  url: "https://example.com/doc",
  snippet: "…",
  text: "…",
  score: 1,
  matched: [],
  start: n * 100,
  end: n * 100 + 50,
});

test("a citation names the document and the place in it; an invented one is taken out", () => {
  const answer = checkedAnswer("So it is [2], they say [7].", [hit(1), hit(2)]);
  expect(answer).toMatchObject({ text: "So it is [2], they say.", grounded: true, invented: [7] });
  expect(answer.citations.map((each) => Citation.parse(each))).toMatchObject([
    { n: 2, id: "doc~2", document_id: "doc", place: { heading: "Part 2", start: 200, end: 250 } },
  ]);
});

test("an answer that cites nothing, or only what is not there, is not grounded", () => {
  expect(checkedAnswer("So it is.", [hit(1)])).toMatchObject({ grounded: false, citations: [] });
  expect(checkedAnswer("So it is [3].", [hit(1)])).toMatchObject({ text: "So it is.", grounded: false });
  expect(checkedAnswer("So it is [1].", [])).toMatchObject({ text: "So it is.", grounded: false, invented: [1] });
});
