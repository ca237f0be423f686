import { env, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { indexMessage, removeMessage, removeMessages } from "./message_index.ts";

const SESSION = "s";
const message = (i: number) => ({
  id: `m${i}`,
  sessionId: SESSION,
  title: "talk",
  role: "user" as const,
  content: `turn word${i}`,
});
const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `m${from + i}`);

/** What every word finds: the whole index as a reader can see it. */
function found(storage: DurableObjectStorage, turns: number): string[][] {
  return Array.from({ length: turns }, (_, i) =>
    storage.sql
      .exec<{ id: string }>(
        `SELECT p.message_id AS id FROM passage_index JOIN passages p ON p.row = passage_index.rowid
         WHERE passage_index MATCH ? ORDER BY p.row`,
        `word${i}`,
      )
      .toArray()
      .map(({ id }) => id),
  );
}

const withIndex = <R>(name: string, turns: number, work: (storage: DurableObjectStorage) => R) =>
  runInDurableObject(env.VAULT.get(env.VAULT.idFromName(name)), (_, state) => {
    for (let i = 0; i < turns; i++) indexMessage(state.storage, message(i));
    return work(state.storage);
  });

describe("removing many messages", () => {
  it.each([
    ["all", ids(0, 12)],
    ["the beginning", ids(0, 5)],
    ["the middle", ids(4, 7)],
    ["every other one", ids(0, 12).filter((_, i) => i % 2 === 0)],
    ["one that is not there", ["m99"]],
  ])("leaves the index as removing them one by one does: %s", async (name, removed) => {
    const together = await withIndex(`together ${name}`, 12, (storage) => {
      removeMessages(storage, SESSION, removed);
      return found(storage, 12);
    });
    const oneByOne = await withIndex(`one by one ${name}`, 12, (storage) => {
      for (const id of removed) removeMessage(storage, id);
      return found(storage, 12);
    });
    expect(together).toEqual(oneByOne);
  });
});
