import * as z from "zod";
import { CitationFilter } from "../models/prompt_citations.ts";
import type { SearchHit } from "../vault/types.ts";

/** A passage that an answer refers to: the document, and the place in it. */
export const Citation = z.object({
  n: z.number(),
  id: z.string().describe("For fetch"),
  title: z.string(),
  url: z.string(),
  snippet: z.string(),
  document_id: z.string().optional(),
  place: z.object({ heading: z.string(), start: z.number(), end: z.number() }).describe("Characters of the document"),
});

/** The passages behind the numbers an answer cites, in order. Numbers that no passage has are left out. */
export function citationsOf(cited: ReadonlySet<number>, hits: readonly SearchHit[]): z.output<typeof Citation>[] {
  return hits.flatMap(({ id, title, url, snippet, document_id, heading, start, end }, i) => {
    if (!cited.has(i + 1)) return [];
    const place = { heading, start, end };
    return [{ n: i + 1, id, title, url, snippet, ...(document_id === null ? {} : { document_id }), place }];
  });
}

/**
 * An answer as it may be told: without citations of passages that do not exist, and with those that do. Not `grounded`: it
 * cites nothing, so nothing in the documents stands behind it.
 */
export function checkedAnswer(text: string, hits: readonly SearchHit[]) {
  const filter = new CitationFilter(hits.length);
  const told = filter.push(text) + filter.end();
  const citations = citationsOf(filter.cited, hits);
  return { text: told, citations, grounded: citations.length > 0, invented: [...filter.invented] };
}
