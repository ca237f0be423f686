import { describe, expect, it } from "vitest";
import { type Bench, HOLD, withLedger } from "../../test/ledger_bench.ts";
import { unwrap } from "../errors.ts";
import type { Outgoing } from "../net/send_webhook.ts";
import { MOST_WEBHOOKS } from "./webhooks.ts";

const HOUR = 3_600_000;
const SECRET = "whsec_dGhlIHNlY3JldCBvZiBhIHRlc3QgdGhhdCBpcyBsb25n";

const add = (bench: Bench, id = "hook_1") =>
  unwrap(bench.ledger.webhooks.add({ id, url: `https://hooks.test/${id}`, secret: SECRET }));
const stateOf = (bench: Bench) => bench.ledger.notices.newest(10).map(({ type, deliveries }) => ({ type, deliveries }));

/** Makes one notice: half of a budget is spent. */
async function notice(bench: Bench): Promise<void> {
  const budget = { id: "b", kind: "soft", period: "total", nano_usd: 600_000 } as const;
  unwrap(await bench.ledger.budgets.set(budget, bench.clock.now));
  await bench.settle("c1", { hold: HOLD, usage: { input: 100, output: 100 }, model: HOLD.model });
}

/** A receiver that answers with one status after the other, the last one from then on; null = not at all. */
function receiver(...statuses: (number | null)[]) {
  const messages: Outgoing[] = [];
  const send = async (message: Outgoing) => {
    messages.push(message);
    return statuses.length > 1 ? (statuses.shift() as number | null) : (statuses[0] as number | null);
  };
  return { messages, send };
}

/** One turn of the alarm, and the answers to what it sent. */
async function turn(bench: Bench, send: (message: Outgoing) => Promise<number | null>): Promise<void> {
  bench.ledger.webhooks.deliver(send);
  await new Promise((resolve) => setTimeout(resolve, 1));
}

describe("a webhook", () => {
  it("is told of a notice once it answers 2xx, the same message at every attempt, and no more then", () =>
    withLedger("enterprise", async (bench) => {
      add(bench);
      await notice(bench);
      const { messages, send } = receiver(500, null, 302, 204);
      await turn(bench, send);
      await turn(bench, send);
      expect(messages).toHaveLength(1);
      for (const hours of [1, 1, 1, 1]) {
        bench.clock.now += hours * HOUR;
        await turn(bench, send);
      }
      expect(messages).toHaveLength(4);
      expect(new Set(messages.map((message) => JSON.stringify(message))).size).toBe(1);
      expect(messages[0]).toMatchObject({
        url: "https://hooks.test/hook_1",
        secret: SECRET,
        id: `${bench.account}-ntc_1`,
      });
      expect(JSON.parse(messages[0]?.body ?? "")).toMatchObject({
        type: "budget.threshold",
        timestamp: "2026-06-15T12:00:00.000Z",
        data: { id: "ntc_1", account: bench.account, budget_id: "b", threshold: 50 },
      });
      expect(stateOf(bench)).toEqual([
        {
          type: "budget.threshold",
          deliveries: [{ webhook_id: "hook_1", state: "delivered", attempts: 4, last_status: 204 }],
        },
      ]);
    }));

  it("that does not answer holds nothing up, and is tried again after a restart", () =>
    withLedger("enterprise", async (first) => {
      add(first);
      await notice(first);
      let sent = 0;
      first.ledger.webhooks.deliver(() => {
        sent++;
        return new Promise(() => {});
      });
      expect(sent).toBe(1);
      expect((await first.admit()).kind).toBe("admitted");
      const second = await first.restart();
      const { messages, send } = receiver(204);
      await turn(second, send);
      expect(messages).toHaveLength(0);
      second.clock.now += HOUR;
      await turn(second, send);
      expect(messages).toHaveLength(1);
      expect(second.ledger.webhooks.list()).toMatchObject([{ id: "hook_1", pending: 0, given_up: 0 }]);
    }));

  it("is given up after three days with ever longer waits, which is said, to the others too", () =>
    withLedger("enterprise", async (bench) => {
      add(bench);
      add(bench, "hook_2");
      await notice(bench);
      const refusing = receiver(503);
      const taking = receiver(200);
      const attempts: number[] = [];
      for (let minutes = 0; minutes < 80 * 60; minutes += 10) {
        const before = refusing.messages.length;
        await turn(bench, (message) => (message.url.endsWith("_1") ? refusing : taking).send(message));
        if (refusing.messages.length > before) attempts.push(minutes / 60);
        bench.clock.now += HOUR / 6;
      }
      expect(attempts.length).toBeGreaterThan(8);
      expect(attempts.at(-1)).toBeGreaterThan(60);
      expect(attempts.at(-1)).toBeLessThanOrEqual(72);
      expect(stateOf(bench)).toMatchObject([
        { type: "webhook.given_up", deliveries: [{ webhook_id: "hook_2", state: "delivered" }] },
        { type: "budget.threshold", deliveries: [{ state: "given_up", last_status: 503 }, { state: "delivered" }] },
      ]);
      expect(bench.ledger.webhooks.list()).toMatchObject([{ given_up: 1, pending: 0 }, { given_up: 0 }]);
      expect(bench.ledger.notices.newest(1)[0]?.message).toContain("hook_1");
    }));

  it("is told of what comes after it, is forgotten when it is removed, and there are at most five", () =>
    withLedger("enterprise", async (bench) => {
      await notice(bench);
      for (let i = 0; i < MOST_WEBHOOKS; i++) add(bench, `hook_${i}`);
      const more = { id: "hook_9", url: "https://hooks.test/", secret: SECRET };
      expect(bench.ledger.webhooks.add(more)).toMatchObject({ code: "conflict" });
      await bench.settle("c2", { hold: HOLD, usage: { input: 100, output: 100 }, model: HOLD.model });
      unwrap(bench.ledger.webhooks.remove("hook_0"));
      expect(bench.ledger.webhooks.remove("hook_0")).toMatchObject({ code: "not_found" });
      const { messages, send } = receiver(204);
      await turn(bench, send);
      expect(messages).toHaveLength(8);
      expect(new Set(messages.map(({ body }) => JSON.parse(body).data.threshold))).toEqual(new Set([80, 100]));
    }));
});
