import { fail, ok, type Result } from "../errors.ts";
import type { PromptTemplate, SaveTemplate, TemplateSummary } from "./types.ts";

/** Prompt templates and their versions. A version never changes, and its number is never given to another text. */

const MAX_TEMPLATES = 500;
const MAX_VERSIONS = 1_000;

interface TemplateRow extends Record<string, SqlStorageValue> {
  name: string;
  version: number;
  title: string;
  description: string;
  text: string;
  variables: string;
  created_at: string;
}

export function createSchema(storage: DurableObjectStorage): void {
  storage.sql.exec(`
    CREATE TABLE IF NOT EXISTS templates (
      name TEXT PRIMARY KEY,
      newest INTEGER NOT NULL,
      deleted INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE IF NOT EXISTS template_versions (
      name TEXT NOT NULL,
      version INTEGER NOT NULL,
      title TEXT NOT NULL,
      description TEXT NOT NULL,
      text TEXT NOT NULL,
      variables TEXT NOT NULL,
      created_at TEXT NOT NULL,
      PRIMARY KEY (name, version)
    );
  `);
}

/** Stores a new version. Errors: `conflict` when there are 500 templates, or 1,000 versions of this one. */
export function saveTemplate(storage: DurableObjectStorage, template: SaveTemplate): Result<PromptTemplate> {
  return storage.transactionSync(() => {
    const { name, title, description, text, variables } = template;
    const known = find(storage, name);
    if ((!known || known.deleted) && count(storage) >= MAX_TEMPLATES) {
      return fail("conflict", `An account has at most ${MAX_TEMPLATES} templates; delete one that is not used.`);
    }
    if (stored(storage, name) >= MAX_VERSIONS) {
      return fail("conflict", `A template has at most ${MAX_VERSIONS} versions; save it under another name.`);
    }
    const version = (known?.newest ?? 0) + 1;
    const created_at = new Date().toISOString();
    storage.sql.exec("INSERT OR REPLACE INTO templates (name, newest, deleted) VALUES (?, ?, 0)", name, version);
    storage.sql.exec(
      "INSERT INTO template_versions (name, version, title, description, text, variables, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      name,
      version,
      title,
      description,
      text,
      JSON.stringify(variables),
      created_at,
    );
    return ok({ ...template, version, newest: version, created_at });
  });
}

/** The newest version of each, by name. */
export function listTemplates(storage: DurableObjectStorage): Result<TemplateSummary[]> {
  const rows = storage.sql
    .exec<TemplateRow>(
      `SELECT v.* FROM templates t JOIN template_versions v ON v.name = t.name AND v.version = t.newest
       WHERE t.deleted = 0 ORDER BY t.name`,
    )
    .toArray();
  return ok(
    rows.map(({ name, version, title, description, variables, created_at }) => ({
      name,
      version,
      title,
      description,
      variables: JSON.parse(variables) as TemplateSummary["variables"],
      created_at,
    })),
  );
}

/** One version, or the newest. Errors: `not_found`. */
export function readTemplate(storage: DurableObjectStorage, name: string, version?: number): Result<PromptTemplate> {
  const known = find(storage, name);
  if (!known || known.deleted) return fail("not_found", `There is no template ${name}.`);
  const [row] = storage.sql
    .exec<TemplateRow>("SELECT * FROM template_versions WHERE name = ? AND version = ?", name, version ?? known.newest)
    .toArray();
  if (!row) {
    return fail("not_found", `Template ${name} has no version ${version}; the newest is ${known.newest}.`);
  }
  const variables = JSON.parse(row.variables) as PromptTemplate["variables"];
  return ok({ ...row, variables, newest: known.newest });
}

/** Deletes a template with all its versions. Saved again, it goes on counting. Errors: `not_found`. */
export function deleteTemplate(
  storage: DurableObjectStorage,
  name: string,
): Result<{ name: string; versions: number }> {
  return storage.transactionSync(() => {
    const known = find(storage, name);
    if (!known || known.deleted) return fail("not_found", `There is no template ${name}.`);
    const versions = stored(storage, name);
    storage.sql.exec("DELETE FROM template_versions WHERE name = ?", name);
    storage.sql.exec("UPDATE templates SET deleted = 1 WHERE name = ?", name);
    return ok({ name, versions });
  });
}

function find(storage: DurableObjectStorage, name: string): { newest: number; deleted: boolean } | undefined {
  const [row] = storage.sql
    .exec<{ newest: number; deleted: number }>("SELECT newest, deleted FROM templates WHERE name = ?", name)
    .toArray();
  return row && { newest: row.newest, deleted: row.deleted === 1 };
}

const count = (storage: DurableObjectStorage): number =>
  storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM templates WHERE deleted = 0").one().n;

const stored = (storage: DurableObjectStorage, name: string): number =>
  storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM template_versions WHERE name = ?", name).one().n;
