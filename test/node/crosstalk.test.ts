import { expect, test } from "vitest";
import { judged, type Party, type Question } from "./crosstalk_calls.ts";
import { crosstalk } from "./crosstalk_run.ts";

/** `npm run prove:crosstalk` does it longer. */

const CALLS = Number(process.env.CALLS ?? 2_000);
/** The same every time: a check that anybody can repeat. The proof draws its own. */
const SEED = Number(process.env.SEED ?? 7);

test(`${CALLS} calls of 200 clients with the same ids, seed ${SEED}: each answer is its own`, {
  timeout: 280_000,
}, async () => {
  const { calls, faults, byKind } = await crosstalk({ calls: CALLS, clients: 200, seed: SEED });
  expect(faults.join("\n")).toBe("");
  expect(calls).toBe(CALLS);
  expect(Object.keys(byKind).sort()).toEqual(["raw-2025", "raw-2026", "sdk-2025", "sdk-2025-session", "sdk-2026"]);
});

test("an answer of somebody else would be noticed", () => {
  const party = (index: number): Party => ({ index, account: `acc${index}`, keys: [], documentId: `doc${index}` });
  const token = "tok-1-2-3-";
  const put: Question = { asked: { method: "tools/call", params: {} }, token, wants: token };
  const judge = (answer: string) => judged(answer, put, party(1), [party(2)]);
  expect(judge(`You said: ${token}`)).toBeNull();
  expect(judge("You said: tok-1-2-4-")).not.toBeNull();
  expect(judge(`${token} tok-1-2-4-`)).not.toBeNull();
  expect(judge(`${token} tok-2-2-3-`)).not.toBeNull();
  expect(judge(`${token} canary-2-x`)).not.toBeNull();
  expect(judge(`${token} acc2`)).not.toBeNull();
});
