import { fail, ok, type Result } from "../errors.ts";
import type { ListFlagsRequest, ModerationFlag, NewFlag, ReviewFlagRequest } from "./types.ts";

/** Calls that were stopped because of what was said in them, and what people made of it. Not part of the change log. */

/** Flags kept; beyond that the oldest reviewed ones go, then the oldest. */
const MOST_FLAGS = 10_000;

type FlagRow = Record<keyof Omit<ModerationFlag, "review">, SqlStorageValue> & {
  n: number;
  verdict: "upheld" | "mistaken" | null;
  note: string | null;
  reviewer: string | null;
  reviewed_at: string | null;
};

export function createSchema(storage: DurableObjectStorage): void {
  storage.sql.exec(`
    CREATE TABLE IF NOT EXISTS moderation_flags (
      n INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      at TEXT NOT NULL,
      call_id TEXT NOT NULL,
      side TEXT NOT NULL,
      categories TEXT NOT NULL,
      moderator TEXT NOT NULL,
      model TEXT NOT NULL,
      content TEXT,
      verdict TEXT,
      note TEXT,
      reviewer TEXT,
      reviewed_at TEXT
    );
    CREATE INDEX IF NOT EXISTS moderation_flags_open ON moderation_flags (n) WHERE verdict IS NULL;
  `);
}

export function addFlag(storage: DurableObjectStorage, flag: NewFlag): Result<{ id: string }> {
  return storage.transactionSync(() => {
    storage.sql.exec(
      `INSERT OR IGNORE INTO moderation_flags (id, at, call_id, side, categories, moderator, model, content)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      flag.id,
      flag.at,
      flag.call_id,
      flag.side,
      JSON.stringify(flag.categories),
      flag.moderator,
      flag.model,
      flag.content,
    );
    const { count } = storage.sql.exec<{ count: number }>("SELECT COUNT(*) AS count FROM moderation_flags").one();
    if (count > MOST_FLAGS) {
      storage.sql.exec(
        "DELETE FROM moderation_flags WHERE n IN (SELECT n FROM moderation_flags ORDER BY verdict IS NULL, n LIMIT ?)",
        count - MOST_FLAGS,
      );
    }
    return ok({ id: flag.id });
  });
}

/** Newest first. `before` is the last `n` of the page before. */
export function listFlags(
  storage: DurableObjectStorage,
  { limit, before, reviewed }: ListFlagsRequest,
): Result<{ flags: ModerationFlag[]; next: number | null }> {
  const open = reviewed === undefined ? "" : `AND verdict IS ${reviewed ? "NOT NULL" : "NULL"}`;
  const rows = storage.sql
    .exec<FlagRow>(
      `SELECT * FROM moderation_flags WHERE n < ? ${open} ORDER BY n DESC LIMIT ?`,
      before ?? Number.MAX_SAFE_INTEGER,
      limit + 1,
    )
    .toArray();
  const page = rows.slice(0, limit);
  return ok({ flags: page.map(toFlag), next: rows.length > limit ? ((page.at(-1) as FlagRow).n as number) : null });
}

/** Notes what somebody made of a flag; the last word stands. */
export function reviewFlag(storage: DurableObjectStorage, request: ReviewFlagRequest): Result<ModerationFlag> {
  const { id, verdict, note, reviewer, at } = request;
  const [row] = storage.sql
    .exec<FlagRow>(
      "UPDATE moderation_flags SET verdict = ?, note = ?, reviewer = ?, reviewed_at = ? WHERE id = ? RETURNING *",
      verdict,
      note,
      reviewer,
      at,
      id,
    )
    .toArray();
  return row ? ok(toFlag(row)) : fail("not_found", "There is no such flag.");
}

function toFlag(row: FlagRow): ModerationFlag {
  const { n: _n, categories, verdict, note, reviewer, reviewed_at, ...flag } = row;
  return {
    ...(flag as unknown as Omit<ModerationFlag, "categories" | "review">),
    categories: JSON.parse(categories as string) as string[],
    review: verdict ? { verdict, note, reviewer: reviewer as string, at: reviewed_at as string } : null,
  };
}
