import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { message, openVault, pushOne } from "../../test/worker/vault.ts";
import { unwrap } from "../errors.ts";
import { readMessage } from "./sessions.ts";
import type { SessionPage, VaultApi } from "./types.ts";

const turn = (vault: VaultApi, session: string, ids: string[], create = true) =>
  vault.appendTurn({
    session_id: session,
    create,
    messages: ids.map((id, i) => message(id, { role: i % 2 ? "assistant" : "user" })),
  });

describe("chat turns", () => {
  it("create the session on demand, title it, and answer not_found otherwise", async () => {
    const { vault } = openVault();
    expect(await turn(vault, "s", ["u1", "a1"], false)).toMatchObject({ ok: false, code: "not_found" });
    expect(unwrap(await turn(vault, "s", ["u1", "a1"]))).toMatchObject({ session_id: "s", title: "text of u1" });
    expect(unwrap(await turn(vault, "s", ["u2", "a2"], false)).title).toBe("text of u1");
    const session = unwrap(await vault.readSession({ session_id: "s", limit: 50 }));
    expect(session.messages.map(({ id }) => id)).toEqual(["u1", "a1", "u2", "a2"]);
    expect(session).toMatchObject({ message_count: 4, earlier: 0, context: {}, model_preference: null });
  });

  it("are stored once however often they are repeated, also with another answer", async () => {
    const { vault } = openVault();
    const first = unwrap(await turn(vault, "s", ["u1", "a1"]));
    const again = await vault.appendTurn({
      session_id: "s",
      create: true,
      messages: [message("u1"), message("a1", { role: "assistant", content: "another answer" })],
    });
    expect(unwrap(again)).toEqual(first);
    const session = unwrap(await vault.readSession({ session_id: "s", limit: 50 }));
    expect(session.messages.map(({ content }) => content)).toEqual(["text of u1", "text of a1"]);
  });

  it("change nothing when one of their ids belongs to another session or is malformed", async () => {
    const { vault } = openVault();
    await turn(vault, "s", ["u1", "a1"]);
    const before = unwrap(await vault.ping());
    expect(await turn(vault, "t", ["u9", "a1"])).toMatchObject({ ok: false, code: "conflict" });
    expect(await turn(vault, "t", ["u9", "a 9"])).toMatchObject({ ok: false, code: "invalid_input" });
    expect(await turn(vault, "t/..", ["u9"])).toMatchObject({ ok: false, code: "invalid_input" });
    expect(unwrap(await vault.ping())).toEqual(before);
    expect(await vault.readSession({ session_id: "t", limit: 1 })).toMatchObject({ ok: false, code: "not_found" });
  });

  it("never reappear in a session that was deleted or cleared meanwhile", async () => {
    const { vault } = openVault();
    await turn(vault, "s", ["u1", "a1"]);
    await pushOne(vault, "d", { id: "m1", kind: "session.clear", session_id: "s" });
    expect(await turn(vault, "s", ["u1", "a1"])).toMatchObject({ ok: false, code: "conflict" });
    await pushOne(vault, "d", { id: "m2", kind: "session.delete", session_id: "s" });
    expect(await turn(vault, "s", ["u2", "a2"])).toMatchObject({ ok: false, code: "conflict" });
    expect(await turn(vault, "s", ["u2", "a2"], false)).toMatchObject({ ok: false, code: "not_found" });
    expect(await vault.readSession({ session_id: "s", limit: 1 })).toMatchObject({ ok: false, code: "not_found" });
  });
});

describe("reading a session", () => {
  it("tells one that was deleted from one that never was", async () => {
    const { vault } = openVault();
    await turn(vault, "s", ["u1", "a1"]);
    await pushOne(vault, "d", { id: "m1", kind: "session.delete", session_id: "s" });
    const answers = await Promise.all(["s", "t"].map((id) => vault.readSession({ session_id: id, limit: 1 })));
    expect(answers).toEqual([
      { ok: false, code: "not_found", detail: "Session s was deleted.", extras: { deleted: true } },
      { ok: false, code: "not_found", detail: "There is no session t." },
    ]);
  });
});

describe("reading", () => {
  it("returns the newest messages in order and says how many came before", async () => {
    const { vault } = openVault();
    await turn(vault, "s", ["1", "2", "3", "4", "5"]);
    const session = unwrap(await vault.readSession({ session_id: "s", limit: 2 }));
    expect(session.messages.map(({ id }) => id)).toEqual(["4", "5"]);
    expect(session).toMatchObject({ earlier: 3, message_count: 5 });
  });

  it("gives back every part of a message, with lone surrogates replaced", async () => {
    const { vault, stub } = openVault();
    const whole = message("m", { parent_id: "p", model: "openai/x", metadata: { b: [1, { c: null }], a: "ü" } });
    unwrap(
      await vault.appendTurn({
        session_id: "s",
        create: true,
        messages: [whole, message("n", { content: "a\ud800b" })],
      }),
    );
    const found = await runInDurableObject(stub, (_vault, { storage }) => [
      readMessage(storage, "m"),
      readMessage(storage, "n")?.message.content,
      readMessage(storage, "none"),
    ]);
    expect(found).toEqual([{ session_id: "s", session_title: "text of m", message: whole }, "a\ufffdb", null]);
  });
});

describe("the list", () => {
  it("pages through all sessions, last active first, without deleted ones", async () => {
    const { vault } = openVault();
    for (let i = 0; i < 7; i++) await turn(vault, `s${i}`, [`u${i}`]);
    await turn(vault, "s2", ["again"]);
    await pushOne(vault, "d", { id: "m", kind: "session.delete", session_id: "s4" });
    const seen: string[] = [];
    let page: SessionPage | undefined;
    do {
      page = unwrap(await vault.listSessions({ limit: 3, page: page?.next_page ?? undefined }));
      expect(page.total).toBe(6);
      seen.push(...page.sessions.map(({ id }) => id));
    } while (page.next_page !== null);
    expect(seen).toEqual(["s2", "s6", "s5", "s3", "s1", "s0"]);
  });

  it("refuses a page token that it did not give out", async () => {
    const [{ vault }, other] = [openVault(), openVault()];
    for (const { vault: each } of [{ vault }, other])
      for (const id of ["a", "b", "c"]) await turn(each, id, [`m-${id}`]);
    const foreign = unwrap(await other.vault.listSessions({ limit: 1 })).next_page as string;
    const own = unwrap(await vault.listSessions({ limit: 1 })).next_page as string;
    expect(unwrap(await vault.listSessions({ limit: 1, page: own })).sessions[0]?.id).toBe("b");
    for (const page of ["", "x", foreign, `${own}!`, own.replace(/-.*/, "-zzzzzz")]) {
      expect(await vault.listSessions({ limit: 1, page })).toMatchObject({ ok: false, code: "invalid_input" });
    }
  });
});
