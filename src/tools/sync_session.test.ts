import { describe, expect, it } from "vitest";
import * as z from "zod";
import { message, openVault } from "../../test/worker/vault.ts";
import { confirmRules } from "./confirm_rules.ts";
import type { Call } from "./define.ts";
import { syncSession } from "./sync_session.ts";

const consent = { canAsk: false, rules: confirmRules({}, "a") };
const open = () => ({ vault: openVault().vault, consent }) as unknown as Call;
const sync = (call: Call, input: unknown) => syncSession.run(call, syncSession.input.parse(input));

const create = { kind: "session.create", id: "1", session_id: "s", title: "Trip" };
const append = (id: string, ...messages: object[]) => ({ kind: "message.append", id, session_id: "s", messages });
const { parent_id: _absent, ...bare } = message("a");

describe("sync_session", () => {
  it("pushes first, then pulls what that made", async () => {
    const call = open();
    const reply = await sync(call, { device_id: "d", push: [create, append("2", bare)] });
    expect(syncSession.output.parse(reply)).toEqual(reply);
    expect(reply).toMatchObject({
      outcomes: [{ status: "applied" }, { status: "applied" }],
      changes: [
        { kind: "session", id: "s", session: { title: "Trip" } },
        { kind: "message", id: "a", session_id: "s", message: { content: "text of a", parent_id: null } },
      ],
      more: false,
    });
    expect(await sync(call, { cursor: reply.cursor })).toMatchObject({ outcomes: [], changes: [], more: false });
  });

  it("answers a repeated call with duplicates and a clone with client_forked", async () => {
    const call = open();
    await sync(call, { device_id: "d", push: [create, append("2", bare)] });
    const again = await sync(call, { device_id: "d", push: [create, append("2", { ...bare, parent_id: null })] });
    expect(again.outcomes.map(({ status }) => status)).toEqual(["duplicate", "duplicate"]);
    const forked = sync(call, { device_id: "d", push: [{ ...create, title: "Other" }] });
    await expect(forked).rejects.toMatchObject({ code: "client_forked" });
  });

  it("does not find a session that never was, and tells a device that goes on from a cursor that nothing changed", async () => {
    const call = open();
    const { cursor } = await sync(call, { device_id: "d", push: [create] });
    const absent = { session_id: "absent" };
    const refused = { code: "not_found", detail: "There is no session absent." };
    await expect(sync(call, absent)).rejects.toMatchObject(refused);
    await expect(sync(call, { ...absent, device_id: "d", push: [] })).rejects.toMatchObject(refused);
    expect(await sync(call, { ...absent, cursor })).toMatchObject({ changes: [], more: false });
    const push = [{ ...create, id: "2", session_id: "other" }];
    expect(await sync(call, { ...absent, device_id: "d", push })).toMatchObject({ changes: [], more: false });
    await sync(call, { device_id: "d", push: [{ kind: "session.delete", id: "3", session_id: "s" }] });
    expect(await sync(call, { session_id: "s" })).toMatchObject({ changes: [{ kind: "session", deleted: true }] });
    expect(await sync(open(), {})).toMatchObject({ changes: [], more: false });
  });

  it("pushes nothing with a cursor of another history", async () => {
    const call = open();
    const pushed = sync(call, { device_id: "d", push: [create], cursor: { epoch: "gone", seq: 4 } });
    await expect(pushed).rejects.toMatchObject({ code: "resync_required" });
    expect((await sync(call, {})).changes).toEqual([]);
  });

  it("needs a device id to push, and none to pull", async () => {
    const missing = syncSession.input.safeParse({ push: [create] });
    expect(missing.error?.issues).toMatchObject([{ path: ["device_id"] }]);
    expect(syncSession.input.safeParse({ push: [], session_id: "s" }).success).toBe(true);
  });

  it.each([
    ["an unknown kind", { ...create, kind: "session.rename" }],
    ["a field of another kind", { ...create, messages: [bare] }],
    ["an unknown field", { ...create, name: "Trip" }],
    ["an update without its base", { kind: "session.update", id: "1", session_id: "s", title: "x" }],
    ["a fractional base", { kind: "session.update", id: "1", session_id: "s", base_seq: 0.5 }],
    ["a malformed id", { ...create, id: "a b" }],
    ["an append without messages", append("1")],
    ["201 messages", append("1", ...Array.from({ length: 201 }, (_, i) => ({ ...bare, id: `m${i}` })))],
    ["an unknown role", append("1", { ...bare, role: "robot" })],
    ["a clock that is none", append("1", { ...bare, created_at: "yesterday" })],
    ["content above 1 MiB", append("1", { ...bare, content: "x".repeat(1_048_577) })],
    ["metadata above 64 KiB", append("1", { ...bare, metadata: { x: "y".repeat(65_536) } })],
  ])("refuses %s", (_what, mutation) => {
    expect(syncSession.input.safeParse({ device_id: "d", push: [mutation] }).success).toBe(false);
  });

  it("takes 2,000 messages in one call and not one more", () => {
    const batch = (n: number, length: number) =>
      append(`${n}`, ...Array.from({ length }, (_, i) => ({ ...bare, id: `m${n}-${i}` })));
    const full = Array.from({ length: 10 }, (_, n) => batch(n, 200));
    expect(syncSession.input.safeParse({ device_id: "d", push: full }).success).toBe(true);
    expect(syncSession.input.safeParse({ device_id: "d", push: [...full, batch(10, 1)] }).success).toBe(false);
  });

  it("takes every kind of mutation", async () => {
    const update = { kind: "session.update", session_id: "s", base_seq: 0 };
    const push = [
      { ...create, model_preference: "auto", context: { framing: "Kind" } },
      append(
        "2",
        { ...bare, role: "assistant", model: "openai/x", metadata: { calls: [1] } },
        { ...bare, id: "b", role: "tool" },
      ),
      { ...update, id: "3", model_preference: null },
      { ...update, id: "4", context: { constraints: ["No flights"], local_knowledge: ["It rains"] } },
      { kind: "session.clear", id: "5", session_id: "s", base_seq: 0 },
      { kind: "session.delete", id: "6", session_id: "s" },
    ];
    const { outcomes } = await sync(open(), { device_id: "d", push });
    expect(outcomes.map(({ status }) => status)).toEqual([
      "applied",
      "applied",
      "conflict",
      "applied",
      "applied",
      "applied",
    ]);
  });

  it("cuts an agent's answer by item at 20 kB and a program's at 200 kB, and goes on where it stopped", async () => {
    const call = open();
    const messages = Array.from({ length: 60 }, (_, i) => ({ ...bare, id: `m${i}`, content: "word ".repeat(1_000) }));
    await sync(call, { device_id: "d", push: [create, append("2", ...messages)], limit: 1 });
    const agent = await sync(call, {});
    expect(agent.more).toBe(true);
    expect(JSON.stringify(agent).length).toBeLessThan(21_000);
    const program = await sync(call, { limit: 500, cursor: agent.cursor });
    expect(program.more).toBe(true);
    expect(JSON.stringify(program).length).toBeGreaterThan(150_000);
    expect(JSON.stringify(program).length).toBeLessThan(201_000);
    expect(program.changes[0]?.seq).toBe(agent.cursor.seq + 1);
  });

  it("has a text that stands alone", async () => {
    const call = open();
    const first = await sync(call, { device_id: "d", push: [create, append("2", bare)] });
    const text = syncSession.text(first);
    for (const part of ["1: applied", "text of a", '"Trip"', JSON.stringify(first.cursor), "Up to date"]) {
      expect(text).toContain(part);
    }
    const edit = { kind: "session.update", id: "1", session_id: "s", base_seq: 0, title: "Mine" };
    const conflict = await sync(call, { device_id: "e", push: [edit] });
    expect(syncSession.text(conflict)).toContain('Stored: {"title":"Trip"}. Not stored: {"title":"Mine"}.');
    const rest = await sync(call, { limit: 1 });
    expect(syncSession.text(rest)).toContain("There is more");
  });

  it("costs an agent little to read", () => {
    const input = JSON.stringify(z.toJSONSchema(syncSession.input, { io: "input" }));
    expect((input.length + syncSession.description.length) / 4).toBeLessThan(700);
  });
});
