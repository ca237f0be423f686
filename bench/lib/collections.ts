import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Collection {
  name: string;
  documents: { id: string; title: string; text: string }[];
  /** Only those that have a relevant document. */
  queries: { id: string; text: string; relevant: ReadonlySet<string> }[];
}

/** Reads `docs.jsonl`, `queries.jsonl` and `qrels.tsv` (query, document, grade) of a collection; null when it is not there. */
export function readCollection(dir: string, name: string): Collection | null {
  const file = (part: string): string => join(dir, name, part);
  if (!["docs.jsonl", "queries.jsonl", "qrels.tsv"].every((part) => existsSync(file(part)))) return null;
  const relevant = new Map<string, Set<string>>();
  for (const line of lines(file("qrels.tsv"))) {
    const [query, document] = line.split("\t") as [string, string];
    const known = relevant.get(query);
    if (known) known.add(document);
    else relevant.set(query, new Set([document]));
  }
  const queries: { id: string; text: string }[] = lines(file("queries.jsonl")).map((line) => JSON.parse(line));
  return {
    name,
    documents: lines(file("docs.jsonl")).map((line) => JSON.parse(line)),
    queries: queries.flatMap((query) => {
      const documents = relevant.get(query.id);
      return documents ? [{ ...query, relevant: documents }] : [];
    }),
  };
}

const lines = (path: string): string[] => readFileSync(path, "utf8").split("\n").filter(Boolean);

/** nDCG at `depth` with gain 1 for each relevant document. */
export function ndcg(found: readonly string[], relevant: ReadonlySet<string>, depth = 10): number {
  const gain = found.slice(0, depth).reduce((sum, id, i) => sum + (relevant.has(id) ? 1 / Math.log2(i + 2) : 0), 0);
  let ideal = 0;
  for (let i = 0; i < Math.min(depth, relevant.size); i++) ideal += 1 / Math.log2(i + 2);
  return gain / ideal;
}

/** Share of the relevant documents that are among the first `depth`. */
export function recall(found: readonly string[], relevant: ReadonlySet<string>, depth = 10): number {
  return found.slice(0, depth).filter((id) => relevant.has(id)).length / relevant.size;
}

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
