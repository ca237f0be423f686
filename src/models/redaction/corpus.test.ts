import { describe, expect, it } from "vitest";
import { CODES, corpus, type Labelled } from "./corpus.ts";
import { findAll } from "./find.ts";
import { KINDS, type Kind, type Label } from "./types.ts";

/** What is reached on the corpus; names are guesses and stay below the rest. */
const FLOORS: Record<Kind, { precision: number; recall: number }> = {
  email: { precision: 1, recall: 1 },
  phone: { precision: 1, recall: 1 },
  card: { precision: 1, recall: 1 },
  key: { precision: 1, recall: 1 },
  name: { precision: 0.95, recall: 0.89 },
};

const KIND_OF: Record<Label, Kind | undefined> = {
  EMAIL: "email",
  PHONE: "phone",
  CARD: "card",
  IBAN: "card",
  KEY: "key",
  NAME: "name",
  TERM: undefined,
};

type Span = Labelled["spans"][number];
const spansIn = (text: string): Span[] =>
  findAll(text, new Set(KINDS), undefined).map(({ label, start, end }) => ({
    kind: KIND_OF[label] as Kind,
    start,
    end,
  }));
/** All of the marked value was found as its kind. */
const covers = (found: Span, marked: Span) =>
  found.kind === marked.kind && found.start <= marked.start && found.end >= marked.end;
const touches = (found: Span, marked: Span) =>
  found.kind === marked.kind && found.start < marked.end && marked.start < found.end;

describe("the corpus", () => {
  it("has lines with and without each kind", () => {
    expect(corpus.length).toBeGreaterThanOrEqual(300);
    for (const kind of Object.values(CODES)) {
      expect(corpus.filter(({ spans }) => spans.some((span) => span.kind === kind)).length).toBeGreaterThanOrEqual(15);
      expect(corpus.filter(({ spans }) => spans.every((span) => span.kind !== kind)).length).toBeGreaterThanOrEqual(
        100,
      );
    }
  });

  it.each(KINDS)("%s is found with the precision and recall that the docs give", (kind) => {
    const missed: string[] = [];
    const wrong: string[] = [];
    let [right, marked, found] = [0, 0, 0];
    for (const { text, spans } of corpus) {
      const expected = spans.filter((span) => span.kind === kind);
      const got = spansIn(text).filter((span) => span.kind === kind);
      marked += expected.length;
      found += got.length;
      for (const span of expected)
        if (!got.some((each) => covers(each, span))) missed.push(`${text.slice(span.start, span.end)} | ${text}`);
      for (const span of got) {
        if (expected.some((each) => touches(span, each))) right++;
        else wrong.push(`${text.slice(span.start, span.end)} | ${text}`);
      }
    }
    const precision = right / found;
    const recall = (marked - missed.length) / marked;
    console.info(`${kind}: precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)} of ${marked}`);
    expect(precision, `wrongly found:\n${wrong.join("\n")}`).toBeGreaterThanOrEqual(FLOORS[kind].precision);
    expect(recall, `missed:\n${missed.join("\n")}`).toBeGreaterThanOrEqual(FLOORS[kind].recall);
  });
});
