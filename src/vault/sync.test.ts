import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { append, create, head, idsIn, openVault, pushOne, read, rename } from "../../test/worker/vault.ts";
import { unwrap } from "../errors.ts";
import type { Mutation } from "./types.ts";

describe("push", () => {
  it("applies a batch in order and says where each change stands in the log", async () => {
    const { vault } = openVault();
    const reply = unwrap(
      await vault.push({
        device_id: "d",
        mutations: [create("1", "s"), append("2", "s", "a", "b"), append("3", "none", "c")],
      }),
    );
    expect(reply.outcomes).toMatchObject([
      { id: "1", status: "applied" },
      { id: "2", status: "applied", seq: reply.cursor.seq },
      { id: "3", status: "refused" },
    ]);
    expect(await read(vault)).toMatchObject({ title: "text of a", message_count: 2 });
  });

  it("answers a repeated mutation with its first outcome, whatever happened since", async () => {
    const { vault } = openVault();
    const { seq } = (await pushOne(vault, "d", create("1", "s", "A"))) as { seq: number };
    await pushOne(vault, "e", rename("1", "s", "B", seq));
    const lost = await pushOne(vault, "d", { ...rename("2", "s", "C", 0), model_preference: "auto" } as Mutation);
    const missing = await pushOne(vault, "d", append("3", "t", "x"));
    await pushOne(vault, "d", create("4", "t"));
    await pushOne(vault, "e", { id: "5", kind: "session.delete", session_id: "s" });
    const before = await head(vault);
    expect(await pushOne(vault, "d", create("1", "s", "A"))).toEqual({ id: "1", status: "duplicate", seq });
    expect(lost).toMatchObject({ status: "conflict", server: { title: "B" }, yours: { title: "C" } });
    expect(await pushOne(vault, "d", { ...rename("2", "s", "C", 0), model_preference: "auto" } as Mutation)).toEqual(
      lost,
    );
    expect(await pushOne(vault, "d", append("3", "t", "x"))).toEqual(missing);
    expect(missing.status).toBe("refused");
    expect(await head(vault)).toEqual(before);
  });

  it("knows a repeat by its content, not by the order of its keys, and within one batch too", async () => {
    const { vault } = openVault();
    await pushOne(vault, "d", { id: "1", kind: "session.create", session_id: "s", title: "A" });
    const reordered = { title: "A", session_id: "s", kind: "session.create", id: "1" } as Mutation;
    const twice = append("2", "s", "a");
    const { outcomes } = unwrap(await vault.push({ device_id: "d", mutations: [reordered, twice, twice] }));
    expect(outcomes.map(({ status }) => status)).toEqual(["duplicate", "applied", "duplicate"]);
  });

  it("detects a cloned device by a mutation id with another body, and then changes nothing", async () => {
    const { vault } = openVault();
    await pushOne(vault, "d", create("1", "s", "A"));
    const before = await head(vault);
    const forked = await vault.push({ device_id: "d", mutations: [append("2", "s", "a"), create("1", "s", "B")] });
    expect(forked).toMatchObject({ ok: false, code: "client_forked" });
    const inBatch = await vault.push({ device_id: "d", mutations: [append("3", "s", "a"), append("3", "s", "b")] });
    expect(inBatch).toMatchObject({ ok: false, code: "client_forked" });
    expect(await head(vault)).toEqual(before);
    expect(await pushOne(vault, "other", create("1", "t", "B"))).toMatchObject({ status: "applied" });
  });

  it("refuses malformed ids and a cursor of another history, and changes nothing", async () => {
    const { vault } = openVault();
    const before = await head(vault);
    const mutations = [create("1", "s")];
    for (const device_id of ["", "d".repeat(129)]) {
      expect(await vault.push({ device_id, mutations })).toMatchObject({ ok: false, code: "invalid_input" });
    }
    expect(await vault.push({ device_id: "d", mutations: [create("a b", "s")] })).toMatchObject({
      code: "invalid_input",
    });
    for (const cursor of [
      { ...before, epoch: "old" },
      { ...before, seq: before.seq + 1 },
    ]) {
      expect(await vault.push({ device_id: "d", mutations, cursor })).toMatchObject({ code: "resync_required" });
    }
    expect((await pushOne(vault, "d", create("2", "s/../t"))).status).toBe("refused");
    expect(await head(vault)).toEqual(before);
  });

  it("remembers the newest 10,000 mutations of a device, and repeats beyond that store nothing twice", async () => {
    const { vault, stub } = openVault();
    await pushOne(vault, "d", create("first", "s"));
    await pushOne(vault, "d", append("second", "s", "a"));
    for (let batch = 0; batch < 20; batch++) {
      const mutations = Array.from({ length: 500 }, (_, i) => append(`m${batch}-${i}`, "none", "x"));
      await vault.push({ device_id: "d", mutations });
    }
    const kept = await runInDurableObject(stub, (_vault, { storage }) =>
      storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM device_mutations").one(),
    );
    expect(kept.n).toBe(10_000);
    const before = await head(vault);
    expect((await pushOne(vault, "d", append("second", "s", "a"))).status).toBe("applied");
    expect(await head(vault)).toEqual(before);
    expect(await idsIn(vault)).toEqual(["a"]);
  });
});
