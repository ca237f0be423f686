import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { type Bench, HOLD, KEY, withLedger } from "../../test/ledger_bench.ts";
import { unwrap } from "../errors.ts";
import { DIMENSIONS, type Dimension, type UsageAnswers, type UsageGroup, type UsageReads } from "./report_types.ts";
import { TOTALS } from "./tally.ts";
import type { HoldRequest, UsageTotals } from "./types.ts";

const DAY = 86_400_000;
const EVER = { from: "2026-01-01", to: "2027-12-31" };

/** A call as the test itself counts it. */
interface Counted extends UsageTotals, Record<Dimension, string | null> {}

async function read(bench: Bench, reads: UsageReads): Promise<UsageAnswers> {
  const reply = await bench.admit({ callId: crypto.randomUUID(), caller: READER, reads });
  if (reply.kind !== "admitted") throw new Error(`refused: ${JSON.stringify(reply)}`);
  return reply;
}
/** Reads by another key, so that the reports can leave them out. */
const READER = { keyHash: "hash-reader" };
const NOT_READER = { tool: "chat" };

function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function sumOf(rows: readonly UsageTotals[]): UsageTotals {
  const sum = { calls: 0, errors: 0, input_tokens: 0, output_tokens: 0, cost_nano: 0 };
  for (const row of rows) for (const field of TOTALS) sum[field] += row[field];
  return sum;
}

/** What the test counted, added up by some dimensions, in a comparable order. */
function grouped(calls: readonly Counted[], by: readonly Dimension[]): UsageGroup[] {
  const groups = new Map<string, Counted[]>();
  for (const call of calls) {
    const name = JSON.stringify(by.map((each) => call[each]));
    groups.set(name, [...(groups.get(name) ?? []), call]);
  }
  return ordered(
    [...groups].map(([name, members]) => {
      const names = Object.fromEntries((JSON.parse(name) as (string | null)[]).map((value, i) => [by[i], value]));
      return { ...names, ...sumOf(members) };
    }),
  );
}

const ordered = (groups: readonly UsageGroup[]): UsageGroup[] =>
  [...groups].sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
const canonical = (group: UsageGroup): string =>
  JSON.stringify(DIMENSIONS.map((name) => group[name] ?? "").concat(String(group.cost_nano)));

const MODELS = ["openai/a", "openai/b", "anthropic/c"];
const SESSIONS = [undefined, "s-1", "s-2", "s-3"];
const CLIENTS = [undefined, "node", "curl/8.5.0", "=HYPERLINK(1)"];
const PRODUCTS = [null, "node", "curl", null];
const KEYS = [KEY.id, "key_2"];

/** One call of some kind on a random key, counted. */
async function play(bench: Bench, random: (below: number) => number, id: string): Promise<Counted> {
  const [which, model, session, client] = [random(2), random(3), random(4), random(4)];
  const hold: HoldRequest = { ...HOLD, model: MODELS[model] as string, price: { ...HOLD.price, version: "test 1" } };
  const facts = {
    tool: "chat",
    ...(SESSIONS[session] ? { session: SESSIONS[session] } : {}),
    ...(CLIENTS[client] ? { client: CLIENTS[client] } : {}),
  };
  const caller = { keyHash: which === 0 ? KEY.hash : "hash-2" };
  const admitted = await bench.admit({ ...facts, callId: id, caller, scope: "chat", metered: true, hold });
  expect(admitted.kind).toBe("admitted");
  bench.clock.now += random(90_000);
  const fate = random(10);
  const usage = { input: random(100), output: random(100), cacheRead: random(50) };
  // Some began days before they end, perhaps in the month before.
  const durationMs = random(4) === 0 ? 4 * DAY : 5;
  const at = new Date(bench.clock.now - durationMs).toISOString();
  const settled = unwrap(
    await bench.settle(id, {
      ...facts,
      keyId: KEYS[which] as string,
      model: hold.model,
      hold,
      durationMs,
      ...(fate === 0 ? { error: "provider_failed" as const } : { usage }),
      metered: true,
    }),
  );
  return {
    day: at.slice(0, 10),
    month: at.slice(0, 7),
    model: hold.model,
    tool: "chat",
    key: KEYS[which] as string,
    session: SESSIONS[session] ?? null,
    user: KEY.user,
    client: PRODUCTS[client] as string | null,
    calls: 1,
    errors: fate === 0 ? 1 : 0,
    input_tokens: fate === 0 ? 0 : usage.input + usage.cacheRead,
    output_tokens: fate === 0 ? 0 : usage.output,
    cost_nano: settled.costNano,
  };
}

const SEED = Number((env as { SEED?: string }).SEED) || 20_260_615;

describe(`reports of random calls (seed ${SEED})`, () => {
  it("come to the same total by every grouping, in every month, over its turn and restarts, and to the settled entries", () =>
    withLedger("enterprise", async (first, storage) => {
      const random = seeded(SEED);
      let bench = first;
      const calls: Counted[] = [];
      bench.ledger.keys.create({ ...KEY, id: "key_2", hash: "hash-2" }, bench.clock.now);
      bench.ledger.keys.create({ ...KEY, id: "key_reader", hash: READER.keyHash }, bench.clock.now);
      const check = async () => {
        const months = [...new Set(calls.map(({ month }) => month as string))];
        await bench.ledger.audit();
        const entries = storage.sql.exec<{ cost: number }>("SELECT sum(cost_nano) AS cost FROM entries");
        expect(sumOf(calls).cost_nano).toBe(entries.one().cost);
        for (const month of months) {
          const { usage } = await read(bench, { recent: 0, month });
          const own = calls.filter((call) => call.month === month);
          expect(usage?.by_tool.chat).toEqual(sumOf(own));
          for (const split of [usage?.by_model, usage?.by_key, usage?.by_day]) {
            expect(sumOf(Object.values(split ?? {})).cost_nano).toBe(sumOf(own).cost_nano);
          }
        }
        const pair = [DIMENSIONS[random(8)], DIMENSIONS[random(8)]] as Dimension[];
        for (const by of [...DIMENSIONS.map((name) => [name]), [...new Set(pair)]]) {
          const query = { ...EVER, by, filter: NOT_READER };
          const { groups } = await read(bench, { groups: { ...query, limit: 1_000 } });
          expect(groups?.others).toBeNull();
          expect(ordered(groups?.groups ?? [])).toEqual(grouped(calls, by));
          expect(groups?.total).toEqual(sumOf(calls));
          const { groups: few } = await read(bench, { groups: { ...query, limit: 2 } });
          expect(sumOf([...(few?.groups ?? []), ...(few?.others ? [few.others] : [])])).toEqual(sumOf(calls));
          const { groups: paged } = unwrap(bench.ledger.usagePage(query, null));
          expect(ordered(paged)).toEqual(grouped(calls, by));
        }
      };
      for (let round = 0; round < 8; round++) {
        // Several at a time, so that they are written together.
        for (let i = 0; i < 5; i++) {
          calls.push(...(await Promise.all([1, 2, 3, 4, 5].map((n) => play(bench, random, `r${round}-${i}-${n}`)))));
        }
        await check();
        if (round % 3 === 1) {
          bench = await bench.restart();
          await check();
        }
        // Once to just after the turn of a month, when calls of the old one are still coming in.
        if (round === 3) bench.clock.now = Date.UTC(2026, 7, 1, 0, 5);
        else bench.clock.now += random(12) * DAY;
      }
      expect(new Set(calls.map(({ month }) => month)).size).toBeGreaterThan(1);
      expect(unwrap(await bench.ledger.audit()).consistent).toBe(true);
    }));

  it("a filter names the exact value, and pages go on where they ended", () =>
    withLedger("enterprise", async (bench, storage) => {
      const random = seeded(SEED + 1);
      bench.ledger.keys.create({ ...KEY, id: "key_2", hash: "hash-2" }, bench.clock.now);
      bench.ledger.keys.create({ ...KEY, id: "key_reader", hash: READER.keyHash }, bench.clock.now);
      const calls: Counted[] = [];
      for (let i = 0; i < 60; i++) calls.push(await play(bench, random, `p${i}`));
      const own = calls.filter(({ session, model }) => session === null && model === "openai/a");
      const filter = { ...NOT_READER, session: "", model: "openai/a" };
      const { groups } = await read(bench, { groups: { ...EVER, by: ["session"], filter, limit: 9 } });
      expect(groups?.groups).toEqual([{ session: null, ...sumOf(own) }]);
      const none = { ...filter, model: "openai/a' OR 1=1 --" };
      expect((await read(bench, { groups: { ...EVER, by: ["day"], filter: none, limit: 9 } })).groups).toMatchObject({
        groups: [],
        total: { calls: 0 },
        others: null,
      });
      const { UsageTable } = await import("./usage_table.ts");
      const table = new UsageTable(storage.sql);
      const by: Dimension[] = ["session", "model", "key"];
      const all: UsageGroup[] = [];
      let after: string[] | null = null;
      do {
        const page: ReturnType<typeof table.page> = table.page({ ...EVER, by, filter: NOT_READER }, after, 7);
        all.push(...page.groups);
        after = page.next;
      } while (after);
      expect(ordered(all)).toEqual(grouped(calls, by));
    }));
});

describe("forecast", () => {
  it("goes on as until now, takes a first day as whole, and none is made for a month that is over", () =>
    withLedger("enterprise", async (bench) => {
      bench.ledger.keys.create({ ...KEY, id: "key_reader", hash: READER.keyHash }, bench.clock.now);
      await bench.admit({ callId: "f1", tool: "chat", scope: "chat", metered: true, hold: HOLD });
      await bench.settle("f1", { hold: HOLD, usage: { input: 100, output: 100 }, model: HOLD.model });
      // 309,000 nano-USD; the 15th at noon: 348 hours are over and the 349th has begun, of 720.
      expect((await read(bench, { recent: 0 })).usage?.forecast).toMatchObject({
        hours_so_far: 349,
        hours_in_month: 720,
        cost_nano: Math.floor((309_000 * 720) / 349),
      });
      bench.clock.now = Date.UTC(2026, 6, 1, 0, 10);
      expect((await read(bench, { recent: 0, month: "2026-06" })).usage?.forecast).toBeNull();
      expect((await read(bench, { recent: 0 })).usage?.forecast).toMatchObject({ hours_so_far: 24, cost_nano: 0 });
    }));
});
