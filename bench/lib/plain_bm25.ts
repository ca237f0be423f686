import { DatabaseSync } from "node:sqlite";
import type { Collection } from "./collections.ts";

/** What is to be beaten: whole documents in SQLite FTS5 as it comes, query words joined by OR. */
export function plainBm25({ documents }: Collection): (query: string) => string[] {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE VIRTUAL TABLE plain USING fts5(id UNINDEXED, title, text, tokenize = 'unicode61')");
  const insert = database.prepare("INSERT INTO plain VALUES (?, ?, ?)");
  for (const { id, title, text } of documents) insert.run(id, title, text);
  const select = database.prepare("SELECT id FROM plain WHERE plain MATCH ? ORDER BY bm25(plain) LIMIT 10");
  return (query) => {
    const words = query.match(/[\p{L}\p{N}]+/gu) ?? [];
    return select.all(words.map((word) => `"${word}"`).join(" OR ")).map((row) => String(row.id));
  };
}
