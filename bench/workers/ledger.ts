import type { Env } from "../../src/env.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import type { HoldRequest } from "../../src/ledger/types.ts";

const PLANS = JSON.stringify({
  bench: { minute: 100_000_000, hour: 1_000_000_000, day: 10_000_000_000, monthlyTokens: null },
});
const FILL_AT_ONCE = 100_000;

const HOLD: HoldRequest = {
  model: "bench/model",
  provider: "bench",
  price: { input: 150_000, output: 600_000 },
  markupBps: 10_300,
  inputTokens: 100,
  maxOutputTokens: 100,
  minOutputTokens: 1,
};

/** Takes what the outbox copies: how fast D1 is is not measured here. */
const ACCEPTING = { prepare: () => ({ bind: () => ({}) }), batch: async () => [] } as unknown as D1Database;

/** The product's ledger, with a way to give it a past. */
export class FilledLedger extends Ledger {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, { ...env, PLANS, DB: ACCEPTING });
  }

  /** Opens an account whose calls came to so many entries. Returns how many there are. */
  async prepare(account: string, entries: number): Promise<number> {
    await this.open(account, "bench");
    const key = {
      id: "key",
      hash: `hash-${account}`,
      name: "",
      user: "u",
      scopes: ["chat"],
      expiresAt: null,
      limits: null,
    };
    await this.createKey(key);
    const { sql } = this.ctx.storage;
    for (let from = 0; from < entries / 2; from += FILL_AT_ONCE) {
      for (const [kind, sign] of [
        ["hold", 1],
        ["settle", -1],
      ] as const) {
        sql.exec(
          `INSERT INTO entries (call_id, kind, at, key_id, hold_nano, credit_nano, tokens, cost_nano, detail)
           SELECT 'call_' || printf('%016x', value * 2654435761 % 4294967296) || value, ?, 1000 * value, 'key', ? * 90000, 0, 0, 0, '{}'
           FROM (WITH RECURSIVE n(value) AS (SELECT ? UNION ALL SELECT value + 1 FROM n LIMIT ?) SELECT value FROM n)`,
          kind,
          sign,
          from,
          Math.min(FILL_AT_ONCE, entries / 2 - from),
        );
      }
    }
    return sql.exec<{ n: number }>("SELECT count(*) AS n FROM entries").one().n;
  }

  /** So many priced calls, one after the other: held, settled, on disk. */
  async calls(account: string, count: number): Promise<number> {
    let admitted = 0;
    for (let i = 0; i < count; i++) {
      const facts = { account, callId: `call_${crypto.randomUUID()}`, tool: "chat", via: "rest" as const };
      const reply = JSON.parse(
        await this.admit(
          JSON.stringify({
            ...facts,
            caller: { keyHash: `hash-${account}` },
            scope: "chat",
            metered: true,
            hold: HOLD,
          }),
        ),
      );
      if (reply.kind === "admitted") admitted++;
      const items = [{ model: HOLD.model, outcome: "ok" as const, usage: { input: 10, output: 5 } }];
      const ended = { ...facts, metered: true, keyId: "key", user: "u", hold: HOLD, items, durationMs: 1 };
      await this.settle(JSON.stringify(ended));
    }
    return admitted;
  }
}

/** `/<account>/prepare?entries=N` and `/<account>/calls?count=N`. */
export default {
  async fetch(request: Request, env: { LEDGER: DurableObjectNamespace<FilledLedger> }): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const [, account = "", action] = pathname.split("/");
    const ledger = env.LEDGER.get(env.LEDGER.idFromName(account));
    const n = Number(searchParams.get(action === "prepare" ? "entries" : "count"));
    return new Response(String(await (action === "prepare" ? ledger.prepare(account, n) : ledger.calls(account, n))));
  },
};
