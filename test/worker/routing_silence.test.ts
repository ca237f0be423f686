import { describe, expect, it } from "vitest";
import { callThrough, DOORS } from "./both_doors.ts";
import { account, rest } from "./client.ts";
import { expectBrokenOff, routingWorld } from "./routing_world.ts";

/** Providers that are silent before their answer, or in the midst of it, and who is asked then. */

const { settings, served, billOf, books } = routingWorld(
  "silence",
  ["echo", "slower-first-byte", "silent-mid-stream"],
  {},
);
// Two tries are over before the slow answer would be there, and be billed; all others come sooner on a slow machine too.
settings.PROVIDER_TIMEOUT_MS = "3000";

const message = "Tell me of the tides of the northern sea.";
const closed = { consistent: true, reserved_nano: 0, open_holds: 0 };

describe.each(DOORS)("over %s", (door) => {
  describe.each([false, true])("streamed: %s,", (stream) => {
    const ask = (key: string, model: string) =>
      callThrough(door, key, "chat", { message, model: `main/${model}, spare/echo` }, { stream });

    it("silence is met with one more try, then somebody else is asked", async () => {
      const { account: id, key } = await account();
      const told = await ask(key, "slower-first-byte");
      const log = await served();
      expect(told.data).toMatchObject({ model: "spare/echo", text: `You said: ${message}` });
      const outcomes = told.data.attempts.map(({ outcome }: { outcome: string }) => outcome);
      expect(outcomes).toEqual(["provider_timeout", "provider_timeout", "ok"]);
      expect(log.map(({ provider }) => provider)).toEqual(["main", "main", "spare"]);
      expect([told.cost, told.cost > 0]).toEqual([billOf(log), true]);
      expect(await books(id)).toMatchObject({ ...closed, settled_cost_nano: told.cost });
    });

    it("after words were delivered nobody else is asked, and the error says so; before, somebody is", async () => {
      const { account: id, key } = await account();
      const told = await ask(key, "silent-mid-stream");
      const log = await served();
      const by = log.map(({ provider }) => provider);
      expectBrokenOff(told, by, `You said: ${message}`, "provider_timeout", stream);
      expect(told.cost).toBe(billOf(log));
      expect(await books(id)).toMatchObject({ ...closed, settled_cost_nano: told.cost });
    });
  });
});

it("a drop-in stream that falls silent ends with the dialect's error, and costs nothing", async () => {
  const { key } = await account();
  const asked = { model: "main/silent-mid-stream", stream: true, messages: [{ role: "user", content: message }] };
  const reply = await rest(key, "POST", "/v1/chat/completions", asked);
  expect(reply.status).toBe(200);
  expect((reply.body as string).slice(-3_000)).toMatch(/data: \{"error":/);
  const { body } = await rest(key, "GET", "/v1/usage");
  expect(body.total).toMatchObject({ cost_nano: 0, errors: 1 });
  expect(body.balance.reserved_nano).toBe(0);
});
