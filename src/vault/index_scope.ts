import { MESSAGE_GENERATION } from "./index_passages.ts";
import type { SearchRequest } from "./types.ts";

/** A condition on `passages p`: what a search may see. */
export interface Scope {
  sql: string;
  bind: SqlStorageValue[];
}

/**
 * What a request lets a search see: live revisions and messages. A restriction to documents (`document_ids`, `filter`)
 * leaves messages out, and one to a session leaves documents out, unless both kinds are restricted. Null: nothing.
 */
export function scopeOf(request: SearchRequest): Scope | null {
  const documentsOnly = request.document_ids !== undefined || request.filter !== undefined;
  const messagesOnly = request.session_id !== undefined;
  const scopes: Scope[] = [];
  if (request.kinds.includes("document") && (documentsOnly || !messagesOnly)) scopes.push(documentScope(request));
  if (request.kinds.includes("message") && (messagesOnly || !documentsOnly)) scopes.push(messageScope(request));
  if (scopes.length === 0) return null;
  return { sql: scopes.map(({ sql }) => `(${sql})`).join(" OR "), bind: scopes.flatMap(({ bind }) => bind) };
}

function documentScope({ document_ids, filter }: SearchRequest): Scope {
  const where: string[] = [];
  const bind: SqlStorageValue[] = [];
  if (document_ids) {
    where.push("d.id IN (SELECT value FROM json_each(?))");
    bind.push(JSON.stringify(document_ids));
  }
  for (const [key, value] of Object.entries(filter ?? {})) {
    const test = equality(value);
    where.push(`EXISTS (SELECT 1 FROM json_each(d.metadata) WHERE key = ? AND ${test.sql})`);
    bind.push(key, ...test.bind);
  }
  const condition = where.length > 0 ? `WHERE ${where.join(" AND ")}` : "";
  return { sql: `p.generation IN (SELECT d.generation FROM documents d ${condition})`, bind };
}

/** `"1"`, `1` and `true` are three different values. */
function equality(value: string | number | boolean): Scope {
  if (typeof value === "boolean") return { sql: "type = ?", bind: [String(value)] };
  if (typeof value === "number") return { sql: "type IN ('integer', 'real') AND value = ?", bind: [value] };
  return { sql: "type = 'text' AND value = ?", bind: [value] };
}

function messageScope({ session_id }: SearchRequest): Scope {
  if (session_id === undefined) return { sql: `p.generation = ${MESSAGE_GENERATION}`, bind: [] };
  return { sql: `p.generation = ${MESSAGE_GENERATION} AND p.session_id = ?`, bind: [session_id] };
}
