import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { message, openVault, pushOne } from "../../test/worker/vault.ts";
import { unwrap } from "../errors.ts";
import { prepare } from "../search/prepare.ts";
import { createSchema } from "./index_passages.ts";
import { hasOldIndex, OLD_INDEX } from "./old_index.ts";
import { reindexSlice } from "./reindex.ts";
import type { VaultApi } from "./types.ts";

const put = async (vault: VaultApi, id: string, text: string) =>
  unwrap(
    await vault.putDocument({ ...(await prepare({ id, text })), id, url: null, sha256: text, bytes: 1, metadata: {} }),
  );
const found = async (vault: VaultApi, query: string) =>
  unwrap(await vault.search({ query, limit: 50, kinds: ["document", "message"] })).hits.map(({ id }) => id);

const functions = Array.from({ length: 60 }, (_, i) => `function number${i}() {\n  return вычислить(${i});\n}\n\n`);
const sections = Array.from({ length: 30 }, (_, i) => `# Раздел ${i}\n\n${`Каждый зелёный чай ${i}. `.repeat(30)}\n\n`);

/** Documents and messages of every kind, and what a replaced and a deleted document left. */
async function fill(vault: VaultApi): Promise<void> {
  await put(vault, "a.ts", functions.join(""));
  await put(vault, "b.md", sections.join(""));
  await put(vault, "c", "東京都の図書館 हिन्दी");
  await put(vault, "c", "東京都の図書館 हिन्दी पुस्तकालय");
  await put(vault, "gone", "Удалённый документ");
  unwrap(await vault.deleteDocument("gone"));
  await pushOne(vault, "d", { id: "c1", kind: "session.create", session_id: "s", title: "Чай" });
  const contents = ["мой рабочий день", "ответ", "ещё вопрос", "длинный ответ ".repeat(400), "конец"];
  const messages = contents.map((content, i) => message(`m${i}`, { content, role: i % 2 ? "assistant" : "user" }));
  await pushOne(vault, "d", { id: "c2", kind: "message.append", session_id: "s", messages });
}

/** Puts the index of an older version in the place of today's, with the same passages. */
function makeOld(storage: DurableObjectStorage): void {
  storage.sql.exec("DROP TABLE passage_index");
  storage.sql.exec(`CREATE VIRTUAL TABLE passage_index USING fts5(
    title, body, subwords, context, content = '', contentless_delete = 1, tokenize = 'porter unicode61')`);
  const passages = storage.sql
    .exec<{ row: number; title: string; text: string }>(
      `SELECT p.row, coalesce(d.title, '') || char(10) || p.heading AS title, p.text
       FROM passages p LEFT JOIN documents d ON d.generation = p.generation`,
    )
    .toArray();
  for (const { row, title, text } of passages) {
    const pairs = Array.from(text.slice(1), (character, i) => `${text.charAt(i)}${character}`).join(" ");
    storage.sql.exec(
      "INSERT INTO passage_index (rowid, title, body, subwords) VALUES (?, ?, ?, ?)",
      row,
      title,
      text,
      pairs,
    );
  }
}

/** Every word of the index with its places: the same index has the same. */
function contents(storage: DurableObjectStorage): string[] {
  storage.sql.exec("CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab(passage_index, 'instance')");
  const rows = storage.sql.exec("SELECT term, doc, col, offset FROM vocabulary ORDER BY 1, 2, 3, 4").toArray();
  return rows.map((row) => Object.values(row).join(" "));
}

const count = (storage: DurableObjectStorage, table: string): number =>
  storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n;

async function openOld() {
  const { vault, stub } = openVault();
  await fill(vault);
  const before = await runInDurableObject(stub, (_, { storage }) => {
    const kept = contents(storage);
    storage.sql.exec("DROP TABLE vocabulary");
    makeOld(storage);
    return kept;
  });
  return { vault, stub, before };
}

const isDone = (storage: DurableObjectStorage): boolean =>
  storage.sql.exec("SELECT 1 FROM sqlite_master WHERE name LIKE ?", `${OLD_INDEX}%`).toArray().length === 0;

const everything: [string, string][] = [
  ["зелёный", "b.md"],
  ["рабочий", "msg:m0"],
  ["вычислить", "a.ts"],
  ["図書", "c~0"],
  ["पुस्तकालय", "c~0"],
];

describe("an account indexed by an older version", () => {
  it("is indexed anew as if it had never been, whatever crashes in between", async () => {
    const { stub, before } = await openOld();
    await runInDurableObject(stub, (_, { storage }) => {
      createSchema(storage);
      let turns = 0;
      for (let more = true; more; turns++) {
        const left = count(storage, OLD_INDEX);
        expect(() =>
          storage.transactionSync(() => {
            reindexSlice(storage);
            throw new Error("crash");
          }),
        ).toThrow("crash");
        expect(count(storage, OLD_INDEX)).toBe(left);
        // The object starts again in the middle of it.
        createSchema(storage);
        more = storage.transactionSync(() => reindexSlice(storage));
      }
      expect(turns).toBeGreaterThan(2);
      expect(hasOldIndex(storage)).toBe(false);
      expect(contents(storage)).toEqual(before);
    });
  });

  it("is found by all of its words from the first call on, and moved by its alarm", async () => {
    const { vault, stub, before } = await openOld();
    await evictDurableObject(stub);
    let done = false;
    for (let turns = 0; !done; turns++) {
      for (const [query, id] of everything) expect((await found(vault, query)).join()).toContain(id);
      await runDurableObjectAlarm(stub);
      done = await runInDurableObject(stub, (_, { storage }) => isDone(storage));
      expect(turns).toBeLessThan(1_000);
    }
    expect(await runInDurableObject(stub, (_, { storage }) => contents(storage))).toEqual(before);
    for (const [query, id] of everything) expect((await found(vault, query)).join()).toContain(id);
  });

  it("is written to and deleted from in the middle of it", async () => {
    const { vault, stub } = await openOld();
    await evictDurableObject(stub);
    await runDurableObjectAlarm(stub);
    await put(vault, "new", "Новый документ");
    await put(vault, "c", "Совсем другое");
    unwrap(await vault.deleteDocument("b.md"));
    await pushOne(vault, "d", { id: "c3", kind: "session.delete", session_id: "s" });
    const check = async () => {
      expect(await found(vault, "новый")).toEqual(["new~0"]);
      expect(await found(vault, "другое")).toEqual(["c~0"]);
      for (const gone of ["図書館", "зелёный", "рабочий"]) expect(await found(vault, gone)).toEqual([]);
    };
    await check();
    while (!(await runInDurableObject(stub, (_, { storage }) => isDone(storage)))) await runDurableObjectAlarm(stub);
    await check();
    await runInDurableObject(stub, (_, { storage }) => {
      expect(count(storage, "passage_index")).toBe(count(storage, "passages"));
    });
  });
});
