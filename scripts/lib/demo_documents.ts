import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";

export interface PostedDocument {
  id: string;
  title?: string;
  text: string;
  url?: string;
}

/** A question and the documents that answer it. */
export interface Question {
  text: string;
  relevant: ReadonlySet<string>;
}

export interface Library {
  documents: PostedDocument[];
  questions: Question[];
  /** Files that were left out: empty, too large, or not text. */
  skipped: string[];
}

const READABLE = /\.(md|markdown|txt|html?)$/i;
/** The server's own limit for one document. */
const MAX_DOCUMENT_BYTES = 4 * 1024 * 1024;
const MAX_BATCH_BYTES = 4 * 1024 * 1024;
const MAX_BATCH_DOCUMENTS = 100;
const QUESTION_WORDS = 12;

/** The collection beside the repository when there is one, else the repository's own documentation. */
export function defaultSources(root: string): string[] {
  const collection = resolve(root, "../shared/data/docs-qa");
  return existsSync(join(collection, "docs.jsonl")) ? [collection] : [join(root, "docs"), join(root, "README.md")];
}

/**
 * Reads what is to be indexed: a test collection (`docs.jsonl`, `queries.jsonl`, `qrels.tsv`), or every Markdown, text and
 * HTML file below the given paths. Files have no questions of their own, so what they are called is asked for.
 */
export function readLibrary(paths: readonly string[]): Library {
  const [first] = paths;
  if (first && existsSync(join(first, "docs.jsonl"))) return readCollection(first);
  const skipped: string[] = [];
  const documents = paths
    .flatMap((path) => filesOf(path))
    .flatMap(({ id, path }) => {
      const text = statSync(path).size > MAX_DOCUMENT_BYTES ? "" : readFileSync(path, "utf8");
      if (text.trim() && !text.includes("\u0000")) return [{ id, text }];
      skipped.push(id);
      return [];
    });
  return { documents, questions: documents.flatMap(questionsOf), skipped };
}

/** Batches that a call of `add_documents` takes. */
export function batchesOf(documents: readonly PostedDocument[]): PostedDocument[][] {
  const batches: PostedDocument[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const document of documents) {
    const size = Buffer.byteLength(document.text);
    if (bytes + size > MAX_BATCH_BYTES || (batches.at(-1)?.length ?? 0) >= MAX_BATCH_DOCUMENTS) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1)?.push(document);
    bytes += size;
  }
  return batches;
}

function readCollection(dir: string): Library {
  const lines = (name: string): string[] => {
    const path = join(dir, name);
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];
  };
  const documents = lines("docs.jsonl").map((line): PostedDocument => {
    const { id, title, text } = JSON.parse(line) as { id: string; title?: string; text: string };
    return { id, text, ...(title ? { title } : {}), ...(URL.canParse(id) ? { url: id } : {}) };
  });
  const relevant = new Map<string, Set<string>>();
  for (const line of lines("qrels.tsv")) {
    const [query, document] = line.split("\t") as [string, string];
    relevant.set(query, (relevant.get(query) ?? new Set()).add(document));
  }
  const questions = lines("queries.jsonl").flatMap((line): Question[] => {
    const { id, text } = JSON.parse(line) as { id: string; text: string };
    const known = relevant.get(id);
    return known ? [{ text, relevant: known }] : [];
  });
  return { documents, questions, skipped: [] };
}

function filesOf(path: string): { id: string; path: string }[] {
  if (!statSync(path).isDirectory()) return [{ id: path.split(sep).at(-1) as string, path }];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && READABLE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !relative(path, file).split(sep).includes("node_modules"))
    .sort()
    .map((file) => ({ id: relative(path, file).split(sep).join("/"), path: file }));
}

/** The first heading that says more than one word, else the title, else how the text begins. */
function questionsOf({ id, text }: PostedDocument): Question[] {
  const headings = [...text.matchAll(/^#{1,4}\s+(.+)$/gm)].map(([, heading]) => heading as string);
  const title = /<(?:title|h1)[^>]*>([^<]+)</i.exec(text)?.[1];
  const heading = headings.find((candidate) => candidate.trim().includes(" ")) ?? headings[0] ?? title;
  const words = (heading ?? text).trim().split(/\s+/, QUESTION_WORDS);
  return [{ text: words.join(" "), relevant: new Set([id]) }];
}
