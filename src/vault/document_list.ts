import { fail, ok, type Result } from "../errors.ts";
import type { DocumentPage, DocumentSummary, ListDocumentsRequest } from "./types.ts";

/** The documents of a vault without their texts, a page at a time. */

/** Documents that a match is looked for in, the last changed first. */
const MOST_MATCHED = 5_000;
const FIELDS = "id, title, url, format, bytes, updated_at";

export function createSchema(storage: DurableObjectStorage): void {
  storage.sql.exec("CREATE INDEX IF NOT EXISTS documents_by_time ON documents (updated_at, id)");
}

type Row = Pick<DocumentSummary, "id" | "title" | "url" | "format" | "bytes" | "updated_at"> & {
  [field: string]: SqlStorageValue;
};

/** Last changed first. Errors: `invalid_input` for a page token that no list returned. */
export function listDocuments(storage: DurableObjectStorage, request: ListDocumentsRequest): Result<DocumentPage> {
  const place = request.page === undefined ? null : placeOf(request.page);
  if (place === undefined) {
    return fail("invalid_input", "The page token is not one that this list returned.", {
      issues: [{ path: "page", message: "Use `next_page` of the previous answer, or leave it out." }],
    });
  }
  const match = (request.match ?? "").toLowerCase();
  const rows = storage.sql
    .exec<Row>(
      `SELECT ${FIELDS} FROM (
         SELECT ${FIELDS} FROM documents ${place ? "WHERE (updated_at, id) < (?, ?)" : ""}
         ORDER BY updated_at DESC, id DESC LIMIT ?
       ) ${match ? "WHERE instr(lower(id), ?) > 0 OR instr(lower(title), ?) > 0" : ""} LIMIT ?`,
      ...(place ?? []),
      match ? MOST_MATCHED : request.limit + 1,
      ...(match ? [match, match] : []),
      request.limit + 1,
    )
    .toArray();
  const documents = rows.slice(0, request.limit);
  const last = documents.at(-1);
  return ok({ documents, next_page: rows.length > documents.length && last ? tokenOf(last) : null });
}

const tokenOf = ({ updated_at, id }: Row): string => `${updated_at}~${id}`;

/** Undefined when it is no token. */
function placeOf(token: string): [string, string] | undefined {
  const [, time, id] = /^(\d{4}-\d\d-\d\dT[\d:.]{8,12}Z)~([\s\S]{1,600})$/.exec(token) ?? [];
  return time !== undefined && id !== undefined ? [time, id] : undefined;
}
