import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { openVault } from "../../test/worker/vault.ts";
import { unwrap } from "../errors.ts";
import { type PostedDocument, prepare } from "../search/prepare.ts";
import { since } from "./changes.ts";
import { newGeneration, stageSlice } from "./document_generations.ts";
import { createSchema } from "./documents.ts";
import type { PreparedDocument, VaultApi } from "./types.ts";

type Posted = PostedDocument & { id: string; metadata?: Record<string, unknown>; sha256?: string };

async function prepared({ metadata = {}, sha256, ...posted }: Posted): Promise<PreparedDocument> {
  const { id, text, url = null } = posted;
  return { ...(await prepare(posted)), id, url, sha256: sha256 ?? `hash of ${text}`, bytes: text.length, metadata };
}

const put = async (vault: VaultApi, posted: Posted) => unwrap(await vault.putDocument(await prepared(posted)));
const found = async (vault: VaultApi, query: string) =>
  unwrap(await vault.search({ query, limit: 50, kinds: ["document"] })).hits.map(({ id }) => id);
const textOf = async (vault: VaultApi, id: string) => {
  const item = unwrap(await vault.fetchItem(id));
  return item.kind === "document" ? item.text : null;
};
const count = (storage: DurableObjectStorage, table: string) =>
  storage.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM ${table}`).one().n;

const longText = (word: string, paragraphs: number) =>
  Array.from(
    { length: paragraphs },
    (_, i) => `Paragraph ${i} speaks of ${word}. ${"and of much else ".repeat(15)}`,
  ).join("\n\n");

describe("documents", () => {
  it("are found and read in the very next call, whatever their id looks like", async () => {
    const { vault } = openVault();
    for (const id of ["a", "https://example.org/a?b=c#d", "ü/日本 x", "a~b", "x".repeat(512)]) {
      expect(await put(vault, { id, text: `about zebras in ${id.length}` })).toMatchObject({
        id,
        status: "created",
        revision: 1,
      });
      expect(await found(vault, "zebra")).toContain(`${id}~0`);
      expect(await textOf(vault, id)).toBe(`about zebras in ${id.length}`);
      expect(unwrap(await vault.fetchItem(`${id}~0`))).toMatchObject({
        kind: "chunk",
        chunk_count: 1,
        chunk: { n: 0 },
      });
    }
  });

  it("posted again unchanged take no new log position", async () => {
    const { vault } = openVault();
    const first = await put(vault, { id: "a", text: "zebras", metadata: { x: 1, y: [2] } });
    const again = await put(vault, { id: "a", text: "zebras", metadata: { y: [2], x: 1 } });
    expect(again).toEqual({ ...first, status: "unchanged" });
    expect(unwrap(await vault.ping()).seq).toBe(first.seq);
  });

  it.each([
    ["text", { text: "lions" }],
    ["title", { title: "Other" }],
    ["url", { url: "https://example.org/" }],
    ["metadata", { metadata: { x: 2 } }],
    ["format", { format: "code" as const }],
  ])("are replaced when their %s differs", async (_field, change) => {
    const { vault } = openVault();
    const first = await put(vault, { id: "a", text: "zebras" });
    expect(await put(vault, { id: "a", text: "zebras", ...change })).toMatchObject({
      status: "updated",
      revision: 2,
      seq: first.seq + 1,
    });
  });

  it("leave nothing of an older revision behind", async () => {
    const { vault, stub } = openVault();
    await put(vault, { id: "a", text: longText("zebras", 30) });
    await put(vault, { id: "a", text: "lions" });
    expect(await found(vault, "zebras")).toEqual([]);
    expect(await found(vault, "lions")).toEqual(["a~0"]);
    expect(await vault.fetchItem("a~1")).toMatchObject({ ok: false, code: "not_found" });
    await runInDurableObject(stub, (_vault, { storage }) => {
      expect([count(storage, "passages"), count(storage, "passage_index"), count(storage, "generations")]).toEqual([
        1, 1, 1,
      ]);
    });
  });

  it("name the original that nothing uses any more", async () => {
    const { vault } = openVault();
    await put(vault, { id: "a", text: "same", sha256: "s1" });
    await put(vault, { id: "b", text: "same", sha256: "s1" });
    expect((await put(vault, { id: "a", text: "other", sha256: "s2" })).orphan).toBeNull();
    expect((await put(vault, { id: "a", text: "other", title: "New title", sha256: "s2" })).orphan).toBeNull();
    expect((await put(vault, { id: "b", text: "third", sha256: "s3" })).orphan).toBe("s1");
    expect(unwrap(await vault.deleteDocument("b")).orphan).toBe("s3");
  });

  it("are gone when deleted, with a tombstone in the log", async () => {
    const { vault, stub } = openVault();
    await put(vault, { id: "a", text: longText("zebras", 300) });
    const { seq } = unwrap(await vault.deleteDocument("a"));
    expect(await found(vault, "zebras")).toEqual([]);
    expect(await vault.fetchItem("a")).toMatchObject({ ok: false, code: "not_found" });
    expect(await vault.deleteDocument("a")).toMatchObject({ ok: false, code: "not_found" });
    await runInDurableObject(stub, (_vault, { storage }) => {
      expect(since(storage, 0, 10)).toMatchObject([{ seq, kind: "document", entity: "a", deleted: true }]);
      expect([count(storage, "passages"), count(storage, "passage_index"), count(storage, "generations")]).toEqual([
        0, 0, 0,
      ]);
    });
  });

  it("whose chunks do not tile their text are refused", async () => {
    const { vault } = openVault();
    const document = await prepared({ id: "a", text: "zebras" });
    for (const broken of [
      { chunks: [] },
      { text: "zebras and more" },
      { chunks: [{ ...document.chunks[0], start: 1 }] },
    ]) {
      const reply = await vault.putDocument({ ...document, ...broken } as PreparedDocument);
      expect(reply).toMatchObject({ ok: false, code: "invalid_input" });
    }
    expect(unwrap(await vault.ping()).seq).toBe(0);
  });
});

describe("a large document", () => {
  const text = longText("zebras", 11_000);

  it("of 3 MB is stored whole, found, and read in windows", async () => {
    expect(text.length).toBeGreaterThan(3_000_000);
    const { vault } = openVault();
    const { chunks } = await put(vault, { id: "big", text });
    expect(chunks).toBeGreaterThan(2_000);
    expect(await textOf(vault, "big")).toBe(text);
    expect((await found(vault, "paragraph 9876"))[0]).toMatch(/^big~\d+$/);
    let read = "";
    for (let offset = 1_000_000; offset < 1_050_000; offset = 1_000_000 + read.length) {
      const item = unwrap(await vault.fetchItem("big", { offset, length: 20_000 }));
      if (item.kind !== "document") throw new Error(item.kind);
      expect([item.length, item.text.length <= 20_000]).toEqual([text.length, true]);
      read += item.text;
    }
    expect(text.slice(1_000_000)).toContain(read);
    expect(text.startsWith(read, 1_000_000)).toBe(true);
    expect(unwrap(await vault.fetchItem("big", { offset: 9_999_999, length: 20_000 }))).toMatchObject({ text: "" });
  });

  it("lets other calls in while it is written, which see the old revision until the new one is whole", async () => {
    const { vault } = openVault();
    await put(vault, { id: "big", text: "the old revision has lions" });
    let done = false;
    const writing = put(vault, { id: "big", text }).finally(() => {
      done = true;
    });
    let served = 0;
    while (!done) {
      // Callers in the same process would otherwise leave the clock no time to pass.
      await scheduler.wait(1);
      const [old, fresh] = [await found(vault, "lions"), await found(vault, "zebras")];
      if (fresh.length === 0) expect(old).toEqual(["big~0"]);
      if (!done && fresh.length === 0) served++;
    }
    expect((await writing).status).toBe("updated");
    expect(served).toBeGreaterThan(3);
    expect(await found(vault, "lions")).toEqual([]);
  });

  it("written by two calls at once ends as one of them, whole", async () => {
    const { vault, stub } = openVault();
    const texts = [longText("zebras", 1_000), longText("lions", 1_000)];
    const outcomes = await Promise.all(texts.map((one) => put(vault, { id: "big", text: one })));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["created", "updated"]);
    expect(texts).toContain(await textOf(vault, "big"));
    const same = await Promise.all([1, 2].map(() => put(vault, { id: "twin", text: texts[0] as string })));
    expect(same.map(({ status }) => status).sort()).toEqual(["created", "unchanged"]);
    await runInDurableObject(stub, (_vault, { storage }) => expect(count(storage, "generations")).toBe(2));
  });

  it("half-written in a crash leaves the old revision, and its rows go with the next put", async () => {
    const { vault, stub } = openVault();
    await put(vault, { id: "a", text: "the old revision has lions" });
    const document = await prepared({ id: "a", text: longText("zebras", 50) });
    await runInDurableObject(stub, (_vault, { storage }) => {
      stageSlice(storage, newGeneration(storage), document, 0, 5);
      createSchema(storage);
    });
    expect(await found(vault, "zebras")).toEqual([]);
    expect(await found(vault, "lions")).toEqual(["a~0"]);
    await put(vault, { id: "b", text: "tigers" });
    await runInDurableObject(stub, (_vault, { storage }) => {
      expect([count(storage, "passages"), count(storage, "passage_index"), count(storage, "generations")]).toEqual([
        2, 2, 2,
      ]);
    });
  });
});
