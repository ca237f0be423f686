import { chunk } from "../search/chunk.ts";
import {
  contextOf,
  deletePassages,
  indexPassage,
  MESSAGE_GENERATION,
  needsContext,
  storePassage,
} from "./index_passages.ts";
import type { Role } from "./types.ts";

/** Session messages in the search corpus. All functions run inside the caller's transaction. */

export interface IndexableMessage {
  id: string;
  sessionId: string;
  /** Title of the session: found by it too, at low weight. */
  title: string;
  role: Role;
  content: string;
}

/** A message is written in one turn of the vault, so only this many characters of it are searchable. */
const searchableCharacters = 131_072;
/** Passages on either side that a short turn is understood by: an answer is found by its question's words. */
const neighbours = 2;

interface Turn extends Record<string, SqlStorageValue> {
  row: number;
  session_title: string;
  text: string;
}

/** Makes a message findable, in the place of what was indexed under its id before. */
export function indexMessage(storage: DurableObjectStorage, message: IndexableMessage): void {
  removeMessage(storage, message.id);
  const content = message.content.slice(0, searchableCharacters);
  if (!content.trim()) return;
  const rows = chunk(content, "text").map((piece) =>
    storePassage(storage, {
      ...piece,
      generation: MESSAGE_GENERATION,
      messageId: message.id,
      sessionId: message.sessionId,
      sessionTitle: message.title,
      heading: message.role,
    }),
  );
  indexAround(storage, message.sessionId, rows, true);
}

/** Takes a message out of the index, and its words out of its neighbours' context. Unknown ids are fine. */
export function removeMessage(storage: DurableObjectStorage, id: string): void {
  const found = storage.sql
    .exec<{ row: number; session_id: string }>(
      "SELECT row, session_id FROM passages WHERE message_id = ? ORDER BY row",
      id,
    )
    .toArray();
  const sessionId = found[0]?.session_id;
  if (sessionId === undefined) return;
  const rows = found.map(({ row }) => row);
  deletePassages(storage, rows);
  indexAround(storage, sessionId, rows, false);
}

/**
 * Takes many messages of one session out at once. What stays beside a gap is indexed anew, once; a session that loses all
 * of its messages has nothing to index.
 */
export function removeMessages(storage: DurableObjectStorage, sessionId: string, ids: readonly string[]): void {
  const rows = storage.sql
    .exec<{ row: number }>(
      "SELECT row FROM passages WHERE message_id IN (SELECT value FROM json_each(?)) ORDER BY row",
      JSON.stringify(ids),
    )
    .toArray()
    .map(({ row }) => row);
  if (rows.length === 0) return;
  deletePassages(storage, rows);
  const staying = storage.sql
    .exec<{ row: number }>("SELECT row FROM passages WHERE session_id = ? ORDER BY row", sessionId)
    .toArray()
    .map(({ row }) => row);
  if (staying.length === 0) return;
  for (const gap of gapsBetween(rows, staying)) indexAround(storage, sessionId, gap, false);
}

/** Removed rows in groups that nothing that stays stands between. All ascending. */
function gapsBetween(removed: readonly number[], staying: readonly number[]): number[][] {
  const gaps: number[][] = [];
  let next = 0;
  let before = -1;
  for (const row of removed) {
    while (next < staying.length && (staying[next] as number) < row) next++;
    if (next === before) gaps.at(-1)?.push(row);
    else gaps.push([row]);
    before = next;
  }
  return gaps;
}

/** Indexes the short passages around some rows of a session anew, and with `own` those rows themselves. */
function indexAround(storage: DurableObjectStorage, sessionId: string, rows: readonly number[], own: boolean): void {
  const first = rows[0] as number;
  const last = rows[rows.length - 1] as number;
  const before = turns(storage, "session_id = ? AND row < ? ORDER BY row DESC", sessionId, first).reverse();
  const middle = own ? turns(storage, "session_id = ? AND row >= ? ORDER BY row", sessionId, first, rows.length) : [];
  const after = turns(storage, "session_id = ? AND row > ? ORDER BY row", sessionId, last);
  const all = [...before, ...middle, ...after];
  const ownFrom = before.length;
  const ownTo = ownFrom + middle.length;
  for (let i = Math.max(0, ownFrom - neighbours); i < Math.min(all.length, ownTo + neighbours); i++) {
    const isOwn = i >= ownFrom && i < ownTo;
    if (isOwn || needsContext((all[i] as Turn).text, "message")) indexTurn(storage, all, i);
  }
}

/** Indexes the stored passages among `rows` that belong to messages anew. Runs inside the caller's transaction. */
export function reindexMessages(storage: DurableObjectStorage, rows: readonly number[]): void {
  const found = storage.sql
    .exec<{ row: number; session_id: string }>(
      "SELECT row, session_id FROM passages WHERE message_id IS NOT NULL AND row IN (SELECT value FROM json_each(?))",
      JSON.stringify(rows),
    )
    .toArray();
  for (const { row, session_id } of found) {
    const before = turns(
      storage,
      "session_id = ? AND row < ? ORDER BY row DESC",
      session_id,
      row,
      neighbours,
    ).reverse();
    const rest = turns(storage, "session_id = ? AND row >= ? ORDER BY row", session_id, row, 1 + neighbours);
    indexTurn(storage, [...before, ...rest], before.length);
  }
}

function indexTurn(storage: DurableObjectStorage, all: readonly Turn[], i: number): void {
  const { row, session_title, text } = all[i] as Turn;
  const context = needsContext(text, "message") ? `${session_title}\n${contextAt(all, i)}` : session_title;
  indexPassage(storage, row, { title: "", text, context });
}

function contextAt(all: readonly Turn[], i: number): string {
  const join = (some: readonly Turn[]): string => some.map(({ text }) => text).join("\n");
  return contextOf(join(all.slice(Math.max(0, i - neighbours), i)), join(all.slice(i + 1, i + 1 + neighbours)));
}

function turns(
  storage: DurableObjectStorage,
  where: string,
  sessionId: string,
  row: number,
  limit = 2 * neighbours,
): Turn[] {
  return storage.sql
    .exec<Turn>(`SELECT row, session_title, text FROM passages WHERE ${where} LIMIT ?`, sessionId, row, limit)
    .toArray();
}
