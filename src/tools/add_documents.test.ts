import { describe, expect, it } from "vitest";
import { openCall } from "../../test/worker/document_call.ts";
import { unwrap } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import { addDocuments } from "./add_documents.ts";
import type { Call } from "./define.ts";
import { deleteDocument } from "./delete_document.ts";

const add = (call: Call, ...documents: unknown[]) => addDocuments.run(call, addDocuments.input.parse({ documents }));
const remove = (call: Call, id: string) => deleteDocument.run(call, deleteDocument.input.parse({ id }));
const hits = async (call: Call, query: string) =>
  unwrap(await call.vault.search({ query, limit: 10, kinds: ["document"] })).hits.map(({ id }) => id);

describe("add_documents", () => {
  it("stores originals and texts, reports progress, and answers what its schema says", async () => {
    const { call, events, originals } = openCall();
    const html = "<html><title>Zoo</title><body><h1>Hours</h1><p>Zebras sleep at night.</body></html>";
    const output = await add(
      call,
      { id: "zoo.html", text: html, metadata: { city: "Kiel" } },
      { id: "b", text: "lions" },
    );
    expect(addDocuments.output.parse(output)).toEqual(output);
    expect(output.documents).toEqual([
      { id: "zoo.html", title: "Zoo", status: "created", revision: 1, chunks: 1 },
      { id: "b", title: "lions", status: "created", revision: 1, chunks: 1 },
    ]);
    expect(events).toMatchObject([
      { type: "progress", progress: 1, total: 2, message: "zoo.html" },
      { type: "progress", progress: 2, total: 2 },
    ]);
    expect(await hits(call, "zebra")).toEqual(["zoo.html~0"]);
    const stored = await originals();
    expect(stored).toHaveLength(2);
    const texts = await Promise.all(
      stored.map(async (hash) => new TextDecoder().decode((await call.blobs.get(hash)) ?? undefined)),
    );
    expect(texts.sort()).toEqual([html, "lions"]);
    expect(addDocuments.text(output)).toContain('- zoo.html "Zoo": created, revision 1, 1 chunk');
  });

  it("gives a stable id: by text, or by url so that a page is replaced", async () => {
    const { call } = openCall();
    const first = await add(call, { text: "zebra" });
    expect(first.documents[0]?.id).toMatch(/^doc_[0-9a-f]{24}$/);
    expect((await add(call, { text: "zebra" })).documents[0]).toMatchObject({
      id: first.documents[0]?.id,
      status: "unchanged",
    });
    const page = await add(call, { text: "lion", url: "https://example.org/a" });
    const changed = await add(call, { text: "tiger", url: "https://example.org/a" });
    expect(changed.documents[0]).toMatchObject({ id: page.documents[0]?.id, status: "updated", revision: 2 });
  });

  it("keeps two of one text by their titles, and takes one that is sent twice as one", async () => {
    const { call } = openCall();
    const a = { title: "LICENSE a", text: "same" };
    const b = { title: "LICENSE b", text: "same" };
    const first = (await add(call, a, b, a, { text: "same" }, { title: "same", text: "same" })).documents;
    expect(first.map(({ status }) => status)).toEqual(["created", "created", "unchanged", "created", "unchanged"]);
    expect(new Set(first.map(({ id }) => id)).size).toBe(3);
    const again = (await add(call, b)).documents[0];
    expect(again).toMatchObject({ id: first[1]?.id, title: "LICENSE b", status: "unchanged" });
    expect(await hits(call, "license")).toHaveLength(2);
    const page = { url: "https://example.org/a", text: "page" };
    expect((await add(call, page, page)).documents.map(({ status }) => status)).toEqual(["created", "unchanged"]);
  });

  it("knows a document again that was stored when the text alone made its id", async () => {
    const { call } = openCall();
    const old = `doc_${sha256("same").slice(0, 24)}`;
    await add(call, { id: old, title: "LICENSE a", text: "same" });
    const [known, other] = (await add(call, { title: "LICENSE a", text: "same" }, { title: "LICENSE b", text: "same" }))
      .documents;
    expect(known).toMatchObject({ id: old, status: "unchanged", revision: 1 });
    expect(other).toMatchObject({ status: "created" });
    expect(other?.id).not.toBe(old);
  });

  it("says that a url is not fetched when there is no text", () => {
    const { error } = addDocuments.input.safeParse({ documents: [{ url: "https://example.org/a" }] });
    expect(error?.issues).toMatchObject([
      { path: ["documents", 0, "text"], message: expect.stringContaining("not fetched") },
    ]);
  });

  it("deletes the original of a replaced revision, unless another document has the same", async () => {
    const { call, originals } = openCall();
    await add(call, { id: "a", text: "zebra" }, { id: "b", text: "zebra" });
    expect(await originals()).toHaveLength(1);
    await add(call, { id: "a", text: "lion" });
    expect(await originals()).toHaveLength(2);
    await add(call, { id: "b", text: "lion" });
    expect(await originals()).toHaveLength(1);
    await remove(call, "a");
    expect(await originals()).toHaveLength(1);
    await remove(call, "b");
    expect(await originals()).toEqual([]);
  });

  it.each([
    ["an empty text", [{ id: "x", text: " \n" }], "documents.1.text"],
    ["NUL bytes", [{ id: "x", text: "PK\u0000\u0003" }], "documents.1.text"],
    ["binary read as text", [{ id: "x", text: "\ufffd\u0001\ufffd\u0002 GIF" }], "documents.1.text"],
    ["HTML without text", [{ id: "x.html", text: "<script>x</script>" }], "documents.1.text"],
    [
      "one id twice",
      [
        { id: "x", text: "a" },
        { id: "x", text: "b" },
      ],
      "documents.2.id",
    ],
    [
      "one page twice with different texts",
      [
        { url: "https://example.org/a", text: "a" },
        { url: "https://example.org/a", text: "b" },
      ],
      "documents.2.url",
    ],
    ["large metadata", [{ id: "x", text: "a", metadata: { x: "y".repeat(20_000) } }], "documents.1.metadata"],
  ])("refuses the whole call for %s", async (_name, bad, path) => {
    const { call, originals } = openCall();
    const refused = await add(call, { id: "good", text: "zebra" }, ...bad).catch((error) => error);
    expect(refused).toMatchObject({ code: "invalid_input", extras: { issues: [{ path }] } });
    expect([await originals(), await hits(call, "zebra"), unwrap(await call.vault.ping()).seq]).toEqual([[], [], 0]);
  });

  it("refuses 4 MiB a document and 8 MiB a call by bytes", async () => {
    const { call, originals } = openCall();
    const wide = "ü".repeat(2_097_153);
    await expect(add(call, { text: wide })).rejects.toMatchObject({ code: "payload_too_large" });
    const three = ["a", "b", "c"].map((id) => ({ id, text: id.repeat(3_000_000) }));
    await expect(add(call, ...three)).rejects.toMatchObject({ code: "payload_too_large" });
    expect(await originals()).toEqual([]);
  });

  it("stops between documents when it is cancelled", async () => {
    const { call, cancel, originals } = openCall();
    cancel();
    await expect(add(call, { text: "zebra" })).rejects.toMatchObject({ code: "client_closed", extras: { stored: [] } });
    expect(await originals()).toEqual([]);
  });

  it.each([
    ["no documents", []],
    ["101 documents", Array.from({ length: 101 }, (_, i) => ({ text: `t${i}` }))],
    ["no text", [{ id: "a" }]],
    ["an unknown field", [{ text: "a", content: "a" }]],
    ["an unknown format", [{ text: "a", format: "pdf" }]],
    ["a url that runs", [{ text: "a", url: "JavaScript:alert(1)" }]],
    ["a url that is none", [{ text: "a", url: "not a url" }]],
    ...["", " a", "a~0", "https://x/~12", "msg:a", "a\u0000", "\uD800", "x".repeat(513)].map(
      (id) => [`the id ${JSON.stringify(id.slice(0, 20))}`, [{ id, text: "a" }]] as [string, unknown[]],
    ),
  ])("does not accept %s", (_name, documents) => {
    expect(addDocuments.input.safeParse({ documents }).success).toBe(false);
  });

  it.each(["a", "src/a b.ts#L1", "https://example.org/?q=1", "日本", "a~b", "~1~x", "x".repeat(512)])(
    "accepts the id %s",
    (id) => {
      expect(addDocuments.input.safeParse({ documents: [{ id, text: "a" }] }).success).toBe(true);
    },
  );
});

describe("delete_document", () => {
  it("deletes, and answers not_found the second time", async () => {
    const { call } = openCall();
    await add(call, { id: "a", text: "zebra" });
    const output = await remove(call, "a");
    expect(deleteDocument.output.parse(output)).toEqual({ id: "a", deleted: true, seq: 2 });
    expect(deleteDocument.text(output)).toContain("Document a is deleted");
    expect(await hits(call, "zebra")).toEqual([]);
    await expect(remove(call, "a")).rejects.toMatchObject({ code: "not_found" });
  });
});
