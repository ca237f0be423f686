import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { append, create, head, idsIn, message, openVault, pushOne, read, rename } from "../../test/worker/vault.ts";
import { unwrap } from "../errors.ts";
import { listRemoved } from "./messages.ts";
import { forgetExpired, listHistory, RETENTION_DAYS } from "./mutation_history.ts";
import type { Mutation } from "./types.ts";

describe("appended messages", () => {
  it("are stored together or not at all", async () => {
    const { vault } = openVault();
    await pushOne(vault, "d", create("1", "s"));
    await pushOne(vault, "d", append("2", "s", "a"));
    const changed: Mutation = {
      id: "3",
      kind: "message.append",
      session_id: "s",
      messages: [
        message("call", { role: "assistant" }),
        message("result", { role: "tool" }),
        message("a", { content: "other" }),
      ],
    };
    expect(await pushOne(vault, "d", changed)).toMatchObject({
      status: "refused",
      detail: expect.stringContaining("a exists"),
    });
    expect(await idsIn(vault)).toEqual(["a"]);
    expect((await read(vault)).messages[0]?.content).toBe("text of a");
  });

  it("may repeat messages that are there, from any device and with another clock", async () => {
    const { vault } = openVault();
    await pushOne(vault, "d", create("1", "s"));
    await pushOne(vault, "d", append("2", "s", "a"));
    const messages = [message("a", { created_at: "2027-01-01T00:00:00Z" }), message("b", { metadata: { x: 1, y: 2 } })];
    await pushOne(vault, "e", { id: "1", kind: "message.append", session_id: "s", messages });
    const again = [message("b", { metadata: { y: 2, x: 1 } })];
    expect(
      await pushOne(vault, "f", { id: "1", kind: "message.append", session_id: "s", messages: again }),
    ).toMatchObject({
      status: "applied",
    });
    expect(await idsIn(vault)).toEqual(["a", "b"]);
  });

  it("are refused above 1 MiB of UTF-8 or 64 KiB of metadata", async () => {
    const { vault } = openVault();
    await pushOne(vault, "d", create("1", "s"));
    const of = (id: string, over: Parameters<typeof message>[1]): Mutation => ({
      id,
      kind: "message.append",
      session_id: "s",
      messages: [message(`m${id}`, over)],
    });
    expect((await pushOne(vault, "d", of("2", { content: "é".repeat(524_289) }))).status).toBe("refused");
    expect((await pushOne(vault, "d", of("3", { content: "é".repeat(524_288) }))).status).toBe("applied");
    expect((await pushOne(vault, "d", of("4", { metadata: { x: "y".repeat(65_536) } }))).status).toBe("refused");
  });

  it("to a deleted session are a conflict that shows the tombstone and names what was not stored", async () => {
    const { vault } = openVault();
    await pushOne(vault, "d", create("1", "s", "Trip"));
    await pushOne(vault, "d", { id: "2", kind: "session.delete", session_id: "s" });
    expect(await pushOne(vault, "e", append("1", "s", "a", "b"))).toMatchObject({
      status: "conflict",
      server: { deleted: true, session_id: "s", title: "Trip", deleted_by: "d" },
      yours: { message_ids: ["a", "b"] },
    });
    expect(await pushOne(vault, "e", rename("2", "s", "X", 0))).toMatchObject({
      status: "conflict",
      yours: { title: "X" },
    });
    expect(await pushOne(vault, "e", { id: "3", kind: "session.delete", session_id: "s" })).toMatchObject({
      status: "applied",
    });
  });
});

describe("clear and delete", () => {
  it("of a session that never was say so, and do not ask for it to be created", async () => {
    const { vault } = openVault();
    const at = (id: string, kind: "session.clear" | "session.delete"): Mutation => ({ id, kind, session_id: "s" });
    for (const mutation of [at("1", "session.clear"), at("2", "session.delete")]) {
      const { status, detail } = (await pushOne(vault, "d", mutation)) as { status: string; detail: string };
      expect([status, detail]).toEqual(["refused", "There is no session s."]);
    }
    const { detail } = (await pushOne(vault, "d", append("3", "s", "a"))) as { detail: string };
    expect(detail).toBe("There is no session s; create it first.");
  });

  it("clear drops the messages and the title derived from them, keeps the session, and takes new messages", async () => {
    const { vault, stub } = openVault();
    await pushOne(vault, "d", create("1", "s"));
    await pushOne(vault, "d", append("2", "s", "a", "b"));
    await pushOne(vault, "d", { id: "3", kind: "session.clear", session_id: "s" });
    expect(await read(vault)).toMatchObject({ title: "", message_count: 0, messages: [] });
    expect(await pushOne(vault, "e", append("1", "s", "c", "a"))).toMatchObject({
      status: "conflict",
      server: { cleared_message_ids: ["a"] },
    });
    expect(await pushOne(vault, "e", append("2", "s", "c"))).toMatchObject({ status: "applied" });
    expect(await read(vault)).toMatchObject({ title: "text of c", message_count: 1 });
    const removed = await runInDurableObject(stub, (_vault, { storage }) => listRemoved(storage, "s"));
    expect(removed).toEqual([message("a"), message("b")]);
  });

  it("with base_seq, a clear spares what the device has not seen", async () => {
    const { vault } = openVault();
    await pushOne(vault, "d", create("1", "s"));
    const seen = (await pushOne(vault, "e", append("1", "s", "old"))) as { seq: number };
    await pushOne(vault, "e", append("2", "s", "unseen"));
    await pushOne(vault, "d", append("2", "s", "own"));
    await pushOne(vault, "d", { id: "3", kind: "session.clear", session_id: "s", base_seq: seen.seq });
    expect(await idsIn(vault)).toEqual(["unseen"]);
  });

  it("with base_seq, a delete is a conflict when others changed the session since", async () => {
    const { vault } = openVault();
    await pushOne(vault, "d", create("1", "s"));
    const { seq } = await head(vault);
    await pushOne(vault, "e", append("1", "s", "unseen"));
    expect(
      await pushOne(vault, "d", { id: "2", kind: "session.delete", session_id: "s", base_seq: seq }),
    ).toMatchObject({
      status: "conflict",
      server: { deleted: false, unseen_messages: 1 },
    });
    const now = (await head(vault)).seq;
    expect(
      await pushOne(vault, "d", { id: "3", kind: "session.delete", session_id: "s", base_seq: now }),
    ).toMatchObject({
      status: "applied",
    });
  });
});

describe("edits of a session", () => {
  it("merge field by field, return both sides of a conflict, and keep every value that lost", async () => {
    const { vault, stub } = openVault();
    await pushOne(vault, "d", create("1", "s", "A"));
    const base = (await head(vault)).seq;
    await pushOne(vault, "e", rename("1", "s", "B", base));
    const edit: Mutation = {
      id: "2",
      kind: "session.update",
      session_id: "s",
      base_seq: base,
      title: "C",
      context: { framing: "Be brief", constraints: ["No tables"] },
    };
    expect(await pushOne(vault, "d", edit)).toMatchObject({
      status: "conflict",
      server: { title: "B" },
      yours: { title: "C" },
      detail: expect.stringContaining("framing"),
    });
    expect(await read(vault)).toMatchObject({
      title: "B",
      context: { framing: "Be brief", constraints: ["No tables"] },
    });
    const history = await runInDurableObject(stub, (_vault, { storage }) => listHistory(storage, "s"));
    expect(history).toMatchObject([
      { field: "title", value: "A", reason: "replaced", device_id: "d", mutation_id: "1" },
      { field: "title", value: "C", reason: "conflict", device_id: "d", mutation_id: "2" },
    ]);
  });

  it("never erase what the device has not seen, and an explicit title replaces a derived one", async () => {
    const { vault } = openVault();
    await pushOne(vault, "d", {
      ...create("1", "s"),
      context: { framing: "Kind" },
      model_preference: "auto",
    } as Mutation);
    await pushOne(vault, "d", append("2", "s", "a"));
    const wipe: Mutation = {
      id: "3",
      kind: "session.update",
      session_id: "s",
      base_seq: 0,
      model_preference: null,
      context: { framing: "" },
    };
    expect(await pushOne(vault, "d", wipe)).toMatchObject({
      status: "conflict",
      server: { framing: "Kind", model_preference: "auto" },
    });
    expect((await pushOne(vault, "d", rename("4", "s", "  ", 0))).status).toBe("refused");
    expect((await pushOne(vault, "e", rename("1", "s", "Mine", 0))).status).toBe("applied");
    const informed: Mutation = { ...wipe, id: "5", base_seq: (await head(vault)).seq };
    expect((await pushOne(vault, "d", informed)).status).toBe("applied");
    expect(await read(vault)).toMatchObject({ title: "Mine", model_preference: null, context: {} });
  });

  it("from a base ahead of the log, or of a session that is not there, are refused", async () => {
    const { vault } = openVault();
    await pushOne(vault, "d", create("1", "s", "A"));
    expect((await pushOne(vault, "d", rename("2", "s", "B", 1_000))).status).toBe("refused");
    expect((await pushOne(vault, "d", rename("3", "t", "B", 0))).status).toBe("refused");
    expect((await read(vault)).title).toBe("A");
  });

  it("by a second creation fill what is unset and overwrite nothing", async () => {
    const { vault } = openVault();
    await pushOne(vault, "d", create("1", "s", "A"));
    const second = { ...create("2", "s", "B"), model_preference: "auto" } as Mutation;
    expect(await pushOne(vault, "d", second)).toMatchObject({ status: "conflict", server: { title: "A" } });
    expect(await pushOne(vault, "e", create("1", "s", "A"))).toMatchObject({ status: "applied" });
    expect(await read(vault)).toMatchObject({ title: "A", model_preference: "auto" });
  });

  it("leave no trace of lost values after the retention, and lose none before", async () => {
    const { vault, stub } = openVault();
    await pushOne(vault, "d", create("1", "s", "A"));
    await pushOne(vault, "d", append("2", "s", "a"));
    await pushOne(vault, "d", rename("3", "s", "B", (await head(vault)).seq));
    await pushOne(vault, "d", { id: "4", kind: "session.delete", session_id: "s" });
    const counts = (days: number) =>
      runInDurableObject(stub, (_vault, { storage }) => {
        forgetExpired(storage, new Date(Date.now() + days * 86_400_000));
        const titles = storage.sql.exec("SELECT 1 FROM sessions WHERE title <> ''").toArray().length;
        return [listHistory(storage, "s").length, listRemoved(storage, "s").length, titles];
      });
    expect(await counts(RETENTION_DAYS - 1)).toEqual([1, 1, 1]);
    expect(await counts(RETENTION_DAYS + 1)).toEqual([0, 0, 0]);
    expect(await pushOne(vault, "e", append("1", "s", "a"))).toMatchObject({
      status: "conflict",
      server: { deleted: true },
    });
  });
});

describe("the search index", () => {
  it("finds a message as soon as it is stored and no more once it was cleared or deleted", async () => {
    const { vault } = openVault();
    const found = async (query: string) => {
      const { hits } = unwrap(await vault.search({ query, limit: 10, kinds: ["message"] }));
      return hits.map(({ id, session_id }) => [id, session_id]);
    };
    const says = (id: string, session_id: string, content: string): Mutation => ({
      id,
      kind: "message.append",
      session_id,
      messages: [message(`of-${id}`, { content })],
    });
    await pushOne(vault, "d", create("1", "s"));
    await pushOne(vault, "d", create("2", "t"));
    await pushOne(vault, "d", says("3", "s", "The platypus lays eggs."));
    await pushOne(vault, "d", says("4", "t", "An echidna lays eggs too."));
    expect(await found("platypus")).toContainEqual(["msg:of-3", "s"]);
    await pushOne(vault, "d", { id: "5", kind: "session.clear", session_id: "s" });
    expect(await found("eggs")).toEqual([["msg:of-4", "t"]]);
    await pushOne(vault, "d", { id: "6", kind: "session.delete", session_id: "t" });
    expect(await found("eggs")).toEqual([]);
  });
});
