import { pattern } from "../pattern.ts";
import { isStopword } from "../search/stopwords.ts";

/**
 * The full-text index as it was before words were folded on our side (`porter unicode61` over the texts themselves). An
 * account that has one keeps it set aside until each of its passages is in the new one; see `reindex.ts`. A passage is in
 * one of the two, and both are asked.
 */

export const OLD_INDEX = "passage_index_old";

/** Stores of which some passages are in the old index. */
const waiting = new WeakSet<DurableObjectStorage>();

const maxTerms = 64;
const maxQueryLength = 20_000;

/** Renames an index of the old kind, so that one of the new kind can take its place. Runs when the object starts. */
export function setOldAside(storage: DurableObjectStorage): void {
  const tables = storage.sql
    .exec<{ name: string; sql: string }>(
      `SELECT name, sql FROM sqlite_master WHERE name IN ('passage_index', '${OLD_INDEX}')`,
    )
    .toArray();
  const isOld = tables.some(({ name, sql }) => name === "passage_index" && sql.includes("unicode61"));
  if (isOld) storage.sql.exec(`ALTER TABLE passage_index RENAME TO ${OLD_INDEX}`);
  if (isOld || tables.some(({ name }) => name === OLD_INDEX)) waiting.add(storage);
}

export const hasOldIndex = (storage: DurableObjectStorage): boolean => waiting.has(storage);

/** Takes passages out of the old index. Unknown rows are fine. Runs inside the caller's transaction. */
export function forgetOld(storage: DurableObjectStorage, rows: readonly number[]): void {
  if (!waiting.has(storage)) return;
  storage.sql.exec(`DELETE FROM ${OLD_INDEX} WHERE rowid IN (SELECT value FROM json_each(?))`, JSON.stringify(rows));
}

/** Up to `limit` passages of the old index. */
export const oldRows = (storage: DurableObjectStorage, limit: number): number[] =>
  storage.sql
    .exec<{ row: number }>(`SELECT rowid AS row FROM ${OLD_INDEX} ORDER BY rowid LIMIT ?`, limit)
    .toArray()
    .map(({ row }) => row);

export function dropOld(storage: DurableObjectStorage): void {
  storage.sql.exec(`DROP TABLE ${OLD_INDEX}`);
  waiting.delete(storage);
}

const oldWord = pattern(String.raw`[\p{L}\p{N}\p{M}\p{Co}]+`, "gu");
const oldRun = pattern(String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]{2,}`, "gu");

/** The MATCH expression of a query for the old index, which folds words itself and has pairs of CJK characters beside them. */
export function oldExpression(query: string): string {
  const text = query.slice(0, maxQueryLength);
  const words = [...new Set(Array.from(text.matchAll(oldWord()), ([word]) => word.toLowerCase()))];
  const content = words.filter((word) => !isStopword(word));
  const pairs = new Set<string>();
  for (const [run] of text.matchAll(oldRun())) {
    const characters = [...run];
    for (const [i, character] of characters.slice(1).entries()) pairs.add(`${characters[i]}${character}`);
  }
  return [...(content.length > 0 ? content : words).slice(0, maxTerms), ...[...pairs].slice(0, maxTerms)]
    .map((word) => `"${word}"`)
    .join(" OR ");
}
