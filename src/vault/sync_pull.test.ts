import { describe, expect, it } from "vitest";
import { append, create, head, openVault, pushOne } from "../../test/worker/vault.ts";
import { unwrap } from "../errors.ts";
import type { Change, Cursor, VaultApi } from "./types.ts";

describe("pull", () => {
  async function pullAll(vault: VaultApi, limit: number, only: { session_id?: string; kinds?: Change["kind"][] } = {}) {
    const all: Change[] = [];
    let cursor: Cursor | undefined;
    for (let calls = 1; ; calls++) {
      const reply = unwrap(await vault.pull({ cursor, limit, ...only }));
      all.push(...reply.changes);
      cursor = reply.cursor;
      if (!reply.more) return { all, cursor, calls };
      expect(reply.changes.length).toBeGreaterThan(0);
    }
  }

  async function filled() {
    const opened = openVault();
    for (const s of ["s", "t"]) await pushOne(opened.vault, "d", create(`c-${s}`, s, s));
    for (let i = 0; i < 10; i++) await pushOne(opened.vault, "d", append(`a${i}`, i % 2 ? "s" : "t", `m${i}`));
    return opened;
  }

  it("returns every change once, in order, whatever the page size", async () => {
    const { vault } = await filled();
    const whole = await pullAll(vault, 500);
    expect(whole.all.map(({ id }) => id)).toEqual(["s", "t", ...Array.from({ length: 10 }, (_, i) => `m${i}`)]);
    expect(whole.cursor).toEqual(await head(vault));
    for (const limit of [1, 3, 12]) expect((await pullAll(vault, limit)).all).toEqual(whole.all);
    expect(unwrap(await vault.pull({ cursor: whole.cursor, limit: 5 }))).toMatchObject({ changes: [], more: false });
  });

  it("with a filter advances to the end, and misses nothing that comes later", async () => {
    const { vault } = await filled();
    const { all, cursor } = await pullAll(vault, 2, { session_id: "s" });
    expect(all.map(({ id }) => id)).toEqual(["s", "m1", "m3", "m5", "m7", "m9"]);
    expect(cursor).toEqual(await head(vault));
    await pushOne(vault, "d", append("late-t", "t", "x"));
    await pushOne(vault, "d", append("late-s", "s", "y"));
    const next = unwrap(await vault.pull({ cursor, limit: 1, session_id: "s" }));
    expect(next).toMatchObject({ changes: [{ id: "y" }], more: false });
    expect((await pullAll(vault, 1, { kinds: ["session"] })).all.map(({ id }) => id)).toEqual(["s", "t"]);
    expect((await pullAll(vault, 1, { kinds: ["document"] })).all).toEqual([]);
  });

  it("shows deletions without content", async () => {
    const { vault } = await filled();
    const cursor = await head(vault);
    await pushOne(vault, "d", { id: "x", kind: "session.delete", session_id: "s" });
    const { changes } = unwrap(await vault.pull({ cursor, limit: 100 }));
    expect(changes.map(({ id, deleted }) => [id, deleted])).toEqual(
      ["m1", "m3", "m5", "m7", "m9", "s"].map((id) => [id, true]),
    );
    expect(changes[0]).toMatchObject({ kind: "message", session_id: "s", message: null });
    expect(changes[5]).toMatchObject({ kind: "session", session: null });
  });

  it("stops early by size, but always gets on", async () => {
    const { vault } = await filled();
    const { all } = await pullAll(vault, 500);
    const few = unwrap(await vault.pull({ limit: 500, max_bytes: 600 }));
    expect(few.more).toBe(true);
    expect(JSON.stringify(few.changes).length).toBeLessThan(700);
    const one = unwrap(await vault.pull({ limit: 500, max_bytes: 1 }));
    expect(one).toMatchObject({ changes: [all[0]], more: true, cursor: { seq: all[0]?.seq } });
  });

  it("asks for a resync when the cursor is not from this history", async () => {
    const { vault } = await filled();
    const now = await head(vault);
    for (const cursor of [
      { ...now, epoch: "other" },
      { ...now, seq: now.seq + 1 },
      { ...now, seq: -1 },
      { ...now, seq: 0.5 },
    ]) {
      expect(await vault.pull({ cursor, limit: 5 })).toMatchObject({ ok: false, code: "resync_required" });
    }
  });

  it("carries documents without their text, and their deletion", async () => {
    const { vault } = openVault();
    const document = {
      id: "doc",
      title: "Guide",
      url: null,
      format: "text",
      text: "Be kind.",
      sha256: "0".repeat(64),
    } as const;
    const chunks = [{ n: 0, text: "Be kind.", heading: "", start: 0, end: 8 }];
    unwrap(await vault.putDocument({ ...document, bytes: 8, metadata: {}, chunks }));
    const { changes, cursor } = unwrap(await vault.pull({ limit: 10 }));
    expect(changes).toMatchObject([
      { kind: "document", id: "doc", deleted: false, document: { title: "Guide", revision: 1 } },
    ]);
    expect(JSON.stringify(changes)).not.toContain("Be kind");
    unwrap(await vault.deleteDocument("doc"));
    expect(unwrap(await vault.pull({ cursor, limit: 10 })).changes).toMatchObject([
      { kind: "document", id: "doc", deleted: true, document: null },
    ]);
  });
});
