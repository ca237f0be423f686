import { env, runInDurableObject } from "cloudflare:test";
import { unwrap } from "../src/errors.ts";
import { AccountLedger } from "../src/ledger/account_ledger.ts";
import type { Ledger } from "../src/ledger/ledger.ts";
import type { TokenUsage } from "../src/ledger/money.ts";
import { parsePlans } from "../src/ledger/plans.ts";
import { Store } from "../src/ledger/store.ts";
import type { AdmitReply, AdmitRequest, CallItem, HoldRequest, SettleRequest } from "../src/ledger/types.ts";

export const SECOND = 1_000;
export const START = Date.UTC(2026, 5, 15, 12);
let names = 0;

export const KEY = {
  id: "key_1",
  hash: "hash-1",
  name: "test",
  user: "usr_1",
  scopes: ["usage", "chat"],
  expiresAt: null,
  limits: null,
};
export const HOLD: HoldRequest = {
  model: "openai/test",
  provider: "openai",
  price: { input: 1_000_000, output: 2_000_000 },
  markupBps: 10_300,
  inputTokens: 100,
  maxOutputTokens: 100,
  minOutputTokens: 1,
};

let requests = 0;

/** A call as the gate asks a ledger for it. */
export const requestTo = (account: string, over: Partial<AdmitRequest> = {}): AdmitRequest => ({
  account,
  callId: `call_requested_${++requests}`,
  tool: "usage",
  via: "rest",
  caller: { keyHash: KEY.hash },
  scope: "usage",
  metered: false,
  ...over,
});

/** A call that holds what it may cost. */
export const pricedRequestTo = (account: string): AdmitRequest =>
  requestTo(account, { tool: "chat", scope: "chat", metered: true, hold: HOLD });

/** How the gate ends that call, by a try that succeeded. */
export const endOf = ({ account, callId, tool, via }: AdmitRequest, usage: TokenUsage): SettleRequest => ({
  ...{ account, callId, tool, via, hold: HOLD, metered: true, durationMs: 5 },
  keyId: KEY.id,
  user: KEY.user,
  items: [tryOf(usage, HOLD.model)],
});

/** The account's own ledger object, opened, with `KEY`. */
export async function openedLedger(account: string, plan: string) {
  const ledger = env.LEDGER.get(env.LEDGER.idFromName(account));
  unwrap(await ledger.open(account, plan));
  unwrap(await ledger.createKey(KEY));
  return ledger;
}

/** Calls whose holds are on disk, in the table or in the redo log. */
export const holdsOnDisk = ({ sql }: DurableObjectStorage): unknown[] =>
  sql
    .exec(
      "SELECT call_id FROM holds UNION SELECT value ->> 'callId' FROM redo NATURAL JOIN redo_epoch, json_each(body, '$.holds')",
    )
    .toArray()
    .map((row) => row.call_id);

/** How a call ends; one try that succeeded is told in short, by `usage`. */
export interface BenchEnd extends Partial<SettleRequest> {
  usage?: TokenUsage;
  model?: string;
}

/** A ledger on real storage, with a clock of the test's own. */
export interface Bench {
  account: string;
  ledger: AccountLedger;
  clock: { now: number };
  admit: (over?: Partial<AdmitRequest>) => Promise<AdmitReply>;
  settle: (callId: string, over?: BenchEnd) => ReturnType<AccountLedger["settle"]>;
  /** A ledger awoken again when all is written. */
  restart: () => Promise<Bench>;
  /** A ledger awoken again from what is on disk, as after a crash. The clock must stand still: the first one still lives. */
  crash: () => Bench;
}

const tryOf = (usage: TokenUsage, model: string): CallItem => ({ model, outcome: "ok", usage });

/** Runs with a ledger on real storage and a clock of the test's own. */
export function withLedger<R>(
  plan: string,
  work: (bench: Bench, storage: DurableObjectStorage) => Promise<R>,
): Promise<R> {
  const name = `ledger-test-${++names}`;
  const stub = env.LEDGER.get(env.LEDGER.idFromName(name));
  return runInDurableObject(stub, async (_: Ledger, state) => {
    const store = new Store(state.storage);
    state.storage.transactionSync(() => store.create({ account: name, plan }, "2026-06", START));
    const clock = { now: START };
    const wake = (): Bench => {
      const ledger = new AccountLedger(store, state.storage, parsePlans(undefined), {
        now: () => clock.now,
        onBroken: (error) => {
          throw error;
        },
      });
      const facts = { account: name, tool: "usage", via: "rest" as const };
      let calls = 0;
      return {
        account: name,
        ledger,
        clock,
        admit: (over) =>
          ledger.admit({
            ...facts,
            callId: `call_${names}_${++calls}`,
            caller: { keyHash: KEY.hash },
            scope: "usage",
            metered: false,
            ...over,
          }),
        settle: (callId, { usage, model, ...over }: BenchEnd = {}) =>
          ledger.settle({
            ...facts,
            metered: over.tool === undefined,
            tool: "chat",
            callId,
            keyId: KEY.id,
            user: KEY.user,
            durationMs: 5,
            items: usage ? [tryOf(usage, model ?? over.hold?.model ?? HOLD.model)] : [],
            ...over,
          }),
        restart: async () => {
          await ledger.audit();
          return wake();
        },
        crash: wake,
      };
    };
    const bench = wake();
    bench.ledger.keys.create(KEY, START);
    return work(bench, state.storage);
  });
}
