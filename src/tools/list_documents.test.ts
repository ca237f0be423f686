import { describe, expect, it } from "vitest";
import { openVault } from "../../test/worker/vault.ts";
import { unwrap } from "../errors.ts";
import type { PreparedDocument } from "../vault/types.ts";
import type { Call } from "./define.ts";
import { listDocuments } from "./list_documents.ts";

const document = (id: string, title = ""): PreparedDocument => ({
  id,
  title,
  url: null,
  format: "text",
  text: id,
  sha256: id,
  bytes: id.length,
  metadata: {},
  chunks: [{ n: 0, text: id, heading: "", start: 0, end: id.length }],
});

async function withDocuments(...documents: PreparedDocument[]) {
  const { vault } = openVault();
  for (const each of documents) unwrap(await vault.putDocument(each));
  return { call: { vault } as unknown as Call, vault };
}

const list = (call: Call, input: unknown = {}) => listDocuments.run(call, listDocuments.input.parse(input));
const idsOf = async (call: Call, input?: unknown) => (await list(call, input)).documents.map(({ id }) => id);

describe("list_documents", () => {
  it("lists each once, a page at a time, also those stored in the same millisecond", async () => {
    const wanted = Array.from({ length: 23 }, (_, n) => `d~${n}`);
    const { call } = await withDocuments(...wanted.map((id) => document(id)));
    const seen: string[] = [];
    for (let page: string | null | undefined; page !== null; ) {
      const answer = await list(call, { limit: 5, ...(page ? { page } : {}) });
      expect(listDocuments.output.parse(answer)).toEqual(answer);
      seen.push(...answer.documents.map(({ id }) => id));
      page = answer.next_page;
    }
    expect(seen).toHaveLength(23);
    expect(new Set(seen)).toEqual(new Set(wanted));
  });

  it("has what was changed last first, and what was deleted not at all", async () => {
    const { call, vault } = await withDocuments(document("a"), document("b"), document("c"));
    await new Promise((resolve) => setTimeout(resolve, 5));
    unwrap(await vault.putDocument(document("a", "New title")));
    unwrap(await vault.deleteDocument("b"));
    expect(await idsOf(call)).toEqual(["a", "c"]);
  });

  it("finds by id and title, whatever the case, and takes no character for a wildcard", async () => {
    const { call } = await withDocuments(
      document("guide/tides", "The Tides"),
      document("x", "About TIDES"),
      document("50%"),
    );
    expect((await idsOf(call, { match: "tides" })).sort()).toEqual(["guide/tides", "x"]);
    expect(await idsOf(call, { match: "%" })).toEqual(["50%"]);
    expect(await idsOf(call, { match: "_" })).toEqual([]);
    expect(await idsOf(call, { match: "tides", limit: 1 })).toHaveLength(1);
    expect((await list(call, { match: "tides", limit: 1 })).next_page).not.toBeNull();
  });

  it("refuses a page token of nobody's", async () => {
    const { call } = await withDocuments();
    await expect(list(call, { page: "x" })).rejects.toMatchObject({ code: "invalid_input" });
    expect(await list(call)).toEqual({ documents: [], next_page: null });
  });
});
