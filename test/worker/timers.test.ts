import { SELF } from "cloudflare:test";
import { afterAll, beforeAll, expect, it } from "vitest";
import { account, ORIGIN, rest } from "./client.ts";
import { configureModels } from "./provider.ts";

/*
 * An account's objects live on when a call has ended, and each may have 10,000 timers at once. A timer that outlives its call
 * is found here by what it was set for: anything longer than the shortest of what may stay.
 */

configureModels();

/** What may stay set: writing behind and gathering, all within a second. */
const SHORT_MS = 1_000;
const real = { set: globalThis.setTimeout, clear: globalThis.clearTimeout, timeout: AbortSignal.timeout };
const set = new Map<unknown, { ms: number; stack: string }>();
let signals = 0;

beforeAll(() => {
  const later = (work: () => void, ms = 0) => {
    const timer: unknown = real.set(() => {
      set.delete(timer);
      work();
    }, ms);
    set.set(timer, { ms, stack: new Error().stack ?? "" });
    return timer;
  };
  const clear = (timer: unknown) => {
    set.delete(timer);
    real.clear(timer as number);
  };
  Object.assign(globalThis, { setTimeout: later, clearTimeout: clear });
  AbortSignal.timeout = (ms: number) => {
    signals++;
    return real.timeout.call(AbortSignal, ms);
  };
});

afterAll(() => {
  Object.assign(globalThis, { setTimeout: real.set, clearTimeout: real.clear });
  AbortSignal.timeout = real.timeout;
});

const ASKED = { message: "Hello there", model: "paid/echo", max_tokens: 50 };

it.each([
  ["POST /v1/chat", "/v1/chat", ASKED],
  ["POST /v1/chat, streamed", "/v1/chat", { ...ASKED, stream: true }],
  ["POST /v1/chat that fails", "/v1/chat", { ...ASKED, model: "paid/fail-500" }],
  [
    "POST /v1/chat/completions, streamed",
    "/v1/chat/completions",
    { model: "paid/echo", stream: true, messages: [{ role: "user", content: "Hello there" }] },
  ],
])("%s leaves no timer behind", async (_, path, body) => {
  const { key } = await account();
  expect((await rest(key, "GET", "/v1/usage")).status).toBe(200);
  set.clear();
  signals = 0;
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const answer = await SELF.fetch(ORIGIN + path, { method: "POST", headers, body: JSON.stringify(body) });
  await answer.text();
  await new Promise((resolve) => real.set(resolve, 100));
  const left = [...set.values()].filter(({ ms }) => ms > SHORT_MS);
  expect(left).toEqual([]);
  expect(signals).toBe(0);
});
