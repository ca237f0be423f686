import { describe, expect, it } from "vitest";
import { message, openVault } from "../../test/worker/vault.ts";
import { unwrap } from "../errors.ts";
import type { Call } from "./define.ts";
import { listSessions } from "./list_sessions.ts";

async function withSessions(count: number) {
  const { vault } = openVault();
  for (let i = 0; i < count; i++) {
    const messages = [message(`m${i}`, { content: `Topic ${i}` })];
    unwrap(await vault.appendTurn({ session_id: `s${i}`, create: true, messages }));
  }
  return { vault } as unknown as Call;
}

const list = (call: Call, input: unknown = {}) => listSessions.run(call, listSessions.input.parse(input));

describe("list_sessions", () => {
  it("lists the last active first, a page at a time", async () => {
    const call = await withSessions(3);
    const page = await list(call, { limit: 2 });
    expect(listSessions.output.parse(page)).toEqual(page);
    expect(page.sessions.map(({ id, title }) => [id, title])).toEqual([
      ["s2", "Topic 2"],
      ["s1", "Topic 1"],
    ]);
    expect(page.total).toBe(3);
    const rest = await list(call, { limit: 2, page: page.next_page });
    expect(rest).toMatchObject({ sessions: [{ id: "s0" }], next_page: null });
  });

  it("says in its text what is listed and how to get the rest", async () => {
    const call = await withSessions(2);
    const page = await list(call, { limit: 1 });
    const text = listSessions.text(page);
    expect(text).toContain("1 of 2 sessions");
    expect(text).toContain("s1: Topic 1; 1 message, last active");
    expect(text).toContain(`"page":"${page.next_page}"`);
    expect(listSessions.text(await list(await withSessions(0)))).toContain("no sessions yet");
  });

  it("refuses a limit out of range, an unknown field and a foreign page token", async () => {
    const call = await withSessions(1);
    for (const input of [{ limit: 0 }, { limit: 101 }, { limit: "2" }, { limit: 1.5 }, { cursor: "x" }]) {
      expect(listSessions.input.safeParse(input).success, JSON.stringify(input)).toBe(false);
    }
    await expect(list(call, { page: "forged" })).rejects.toMatchObject({ code: "invalid_input" });
  });
});
