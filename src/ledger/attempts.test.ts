import { expect, it } from "vitest";
import { Attempts } from "./attempts.ts";
import type { Journal } from "./journal.ts";
import type { StoredResult } from "./rows.ts";
import type { Store } from "./store.ts";

/** A disk that nothing reaches yet. */
const store = { result: () => undefined } as unknown as Store;
const journal = { putResult: () => {} } as unknown as Journal;

const answerOf = (callId: string): StoredResult => ({ inputHash: "same", callId, result: `"${callId}"`, costNano: 0 });

it("knows an answer on its way to the disk until that very answer has arrived", () => {
  const attempts = new Attempts(store);
  attempts.end("key", "failed", null, 0, journal);
  attempts.end("key", "answered", answerOf("answered"), 0, journal);
  // Of the call that failed all is written; of the other one nothing.
  attempts.written("key", "failed");
  expect(attempts.kept("key", 0)?.callId).toBe("answered");
  expect(attempts.look("key", "same", 0)).toMatchObject({ state: "replay", written: false });
  attempts.written("key", "answered");
  expect(attempts.kept("key", 0)).toBeUndefined();
});
