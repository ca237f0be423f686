import { expect, test } from "vitest";
import type { ServedRequest } from "../upstream/server.ts";
import { checkChats, checkSessions, checkTurns, Mirror, priceOf, Served } from "./kill_check.ts";
import type { Acknowledged } from "./kill_load.ts";
import { proveKill } from "./kill_run.ts";

test("nothing acknowledged is lost or charged twice when every process is killed", { timeout: 300_000 }, async () => {
  const seed = Math.floor(Math.random() * 1_000_000);
  const lines = [`seed ${seed}`];
  try {
    await proveKill({ rounds: 2, seed, untilHoldsExpire: false, print: (line) => lines.push(line) });
  } finally {
    console.log(lines.join("\n"));
  }
  expect(lines).toHaveLength(1 + 2 + 4);
});

const chat = (key: string, text: string, cost: number): Acknowledged => ({
  round: 1,
  request: { kind: "chat", path: "/v1/chat", key, body: { message: `${key}: hello`, session_id: "s" } },
  reply: {
    status: 200,
    replayed: false,
    costNano: cost,
    body: { text, usage: { input_tokens: 10, output_tokens: 5 }, cost: { nano_usd: cost } },
  },
});

const served = (key: string): Served => {
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
  const entry = {
    usage,
    completed: true,
    body: { model: "echo", messages: [{ role: "user", content: `${key}: hello` }] },
  };
  const log = new Served([entry as ServedRequest]);
  log.read();
  return log;
};

test("the proof sees a wrong answer, a wrong charge and an answer the provider never gave", () => {
  const right = priceOf(10, 5);
  const answer = "You said: c-1: hello";
  expect(checkChats([chat("c-1", answer, right)], served("c-1"))).toBe(right);
  expect(() => checkChats([chat("c-1", "You said: something", right)], served("c-1"))).toThrow("something else");
  expect(() => checkChats([chat("c-1", answer, right + 1)], served("c-1"))).toThrow("worth");
  expect(() => checkChats([chat("c-1", answer, right)], served("c-2"))).toThrow("other tokens");
});

test("the proof sees a lost message, one out of order, and a turn that is stored twice", () => {
  const messages = [
    { id: "m1", content: "one" },
    { id: "m2", content: "two" },
  ];
  const push: Acknowledged = {
    round: 1,
    request: { kind: "sync", path: "/v1/sync", body: { push: [{ session_id: "s", messages }] } },
    reply: { status: 200, replayed: false, costNano: 0, body: { outcomes: [{ id: "x", status: "applied" }] } },
  };
  const mirrorOf = (stored: [id: string, content: string][]) => {
    const mirror = new Mirror();
    mirror.sessions.add("s");
    for (const [seq, [id, content]] of stored.entries()) {
      mirror.messages.set(id, { session: "s", content, seq: seq + 1 });
    }
    return mirror;
  };
  expect(
    checkSessions(
      [push],
      mirrorOf([
        ["m1", "one"],
        ["m2", "two"],
      ]),
    ),
  ).toEqual({ sessions: 1, messages: 2 });
  expect(() => checkSessions([push], mirrorOf([["m1", "one"]]))).toThrow("m2 is not there");
  expect(() =>
    checkSessions(
      [push],
      mirrorOf([
        ["m2", "two"],
        ["m1", "one"],
      ]),
    ),
  ).toThrow("out of order");
  expect(() => checkSessions([push], new Mirror())).toThrow("session s");

  const turn = chat("c-1", "You said: c-1: hello", 1);
  const said: [string, string][] = [
    ["a", "c-1: hello"],
    ["b", "You said: c-1: hello"],
  ];
  expect(checkTurns([turn], mirrorOf(said))).toBe(1);
  expect(() => checkTurns([turn], mirrorOf([...said, ["c", "c-1: hello"]]))).toThrow("other turns");
});
