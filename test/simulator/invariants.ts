import { type AuditLine, ChainCheck } from "../../src/ledger/audit_chain.ts";
import { chainHead } from "../../src/ledger/audit_chain_store.ts";
import type { CallItem, HoldRequest, PricedModel } from "../../src/ledger/types.ts";
import { ACCOUNT, priceOf, worthOf } from "./plan.ts";
import type { World } from "./world.ts";

const DAY = 24 * 60 * 60_000;

type Row = Record<string, number | string | null>;

/** What must hold at every moment, read off the ledger's own tables. Returns what does not. */
export function brokenNow(world: World): string | undefined {
  const one = (query: string) => world.disk.exec(query).toArray()[0] as Record<string, number>;
  const sums = one(`
    SELECT b.balance_nano AS balance, b.settled_cost_nano AS settled, coalesce(sum(e.credit_nano), 0) AS credit,
           coalesce(sum(e.hold_nano), 0) AS hold, coalesce(sum(e.cost_nano), 0) AS cost,
           coalesce(sum(e.credit_nano) FILTER (WHERE e.kind = 'overrun'), 0) AS overrun,
           (SELECT coalesce(sum(body ->> 'nano'), 0) FROM holds) AS held,
           (SELECT count(*) FROM holds) AS holds,
           (SELECT coalesce(sum(cost_nano), 0) FROM tally) AS tallied
    FROM books b LEFT JOIN entries e ON true`);
  const { balance, settled, credit, hold, cost, overrun, held, tallied } = sums as Record<string, number> & {
    [name in "balance" | "settled" | "credit" | "hold" | "cost" | "overrun" | "held" | "tallied"]: number;
  };
  if (balance !== credit) return `balance ${balance}, entries ${credit}`;
  if (hold !== held) return `open holds come to ${held}, the entries to ${hold}`;
  if (settled !== cost) return `settled ${settled}, entries ${cost}`;
  if (tallied !== cost) return `usage says ${tallied}, entries ${cost}`;
  if (balance - overrun < held) return `${held} is held of ${balance} nano-USD, and no overrun explains it`;
  if (world.overdue) return "the object was not asked in time to see to what was decided elsewhere";
  const twice = one(`
    SELECT count(*) AS n FROM (SELECT 1 FROM entries WHERE kind IN ('settle', 'void') GROUP BY call_id HAVING count(*) > 1)`);
  if (twice.n !== 0) return "a call ended twice";
  const { told } = world.books.all("SELECT coalesce(max(seq), 0) AS told FROM audit_logs")[0] as { told: number };
  const { seq } = chainHead(world.disk as unknown as SqlStorage);
  if (told > seq) return `D1 was told of line ${told} of the audit log, the ledger has ${seq}`;
  return undefined;
}

/** What was told to the outside must be there, whatever crashed since. Grows with the history. */
export function brokenPromise(world: World): string | undefined {
  const { model } = world;
  const settled = new Map(
    (
      world.disk.exec("SELECT call_id, cost_nano, at, detail FROM entries WHERE kind = 'settle'").toArray() as Row[]
    ).map((row) => [row.call_id as string, row]),
  );
  for (const [callId, nano] of model.charges) {
    const entry = settled.get(callId);
    if (nano > 0 && entry?.cost_nano !== nano) return `the charge of ${nano} for ${callId} is lost`;
    if (nano === 0 && entry && entry.cost_nano !== 0) return `${callId} was said to be free and is charged`;
  }
  for (const [id, nano] of model.credits) {
    const rows = world.disk.exec("SELECT credit_nano FROM entries WHERE kind = 'credit' AND call_id = ?", id).toArray();
    if (rows.length !== 1 || rows[0]?.credit_nano !== nano)
      return `credit ${id} of ${nano} was posted ${rows.length} times`;
  }
  return brokenAttempts(world, settled) ?? brokenBudgets(world);
}

/** One charge an idempotency key, as long as its result is kept; errors that are billed leave the key free. */
function brokenAttempts({ model, disk }: World, settled: ReadonlyMap<string, Row>): string | undefined {
  const ids = (is: "=" | "<>"): string[] =>
    (
      disk
        .exec(
          `SELECT DISTINCT r.value ->> 'id' AS id FROM call_batches, json_each(body) r WHERE r.value ->> 'status' ${is} 'ok'`,
        )
        .toArray() as Row[]
    ).map(({ id }) => id as string);
  const errors = new Set(ids("<>"));
  const charged = new Map<string, number[]>();
  for (const [callId, entry] of settled) {
    const attempt = model.attempts.get(callId);
    if (!attempt || (entry.cost_nano as number) === 0 || errors.has(callId)) continue;
    charged.set(attempt, [...(charged.get(attempt) ?? []), entry.at as number]);
  }
  const answered = new Set(ids("=").flatMap((callId) => (model.freed.has(callId) ? [] : [model.attempts.get(callId)])));
  for (const callId of model.freed) {
    if (!answered.has(model.attempts.get(callId))) return `${callId} was said to be free, and no other has its key`;
  }
  for (const [attempt, times] of charged) {
    const sorted = times.toSorted((a, b) => a - b);
    for (let i = 1; i < sorted.length; i++) {
      if ((sorted[i] as number) - (sorted[i - 1] as number) < DAY - 60_000)
        return `idempotency key ${attempt} was charged ${sorted.length} times`;
    }
  }
  return undefined;
}

/** What a key spent stays within its budget but for what its holds could not foresee. */
function brokenBudgets({ disk }: World): string | undefined {
  const keys = disk
    .exec(
      "SELECT id, budget ->> 'nano_usd' AS nano FROM keys WHERE budget IS NOT NULL AND budget ->> 'period' = 'total'",
    )
    .toArray() as Row[];
  for (const { id, nano } of keys) {
    const calls = disk
      .exec(
        `SELECT s.cost_nano, h.detail FROM entries s LEFT JOIN entries h ON h.call_id = s.call_id AND h.kind = 'hold'
         AND NOT EXISTS (SELECT 1 FROM entries x WHERE x.call_id = s.call_id AND x.kind = 'expire')
       WHERE s.kind = 'settle' AND s.key_id = ?`,
        id,
      )
      .toArray() as Row[];
    let counted = 0;
    for (const { cost_nano, detail } of calls) {
      const held = detail === null ? 0 : worstOf(JSON.parse(detail as string));
      counted += Math.min(cost_nano as number, held);
    }
    if (counted > (nano as number)) return `${id} spent ${counted} of a budget of ${nano} nano-USD`;
  }
  return undefined;
}

interface HeldDetail extends PricedModel {
  alternatives?: PricedModel[];
  inputTokens: number;
  grantedOutputTokens: number;
}

/** Of the dearest model that may answer. */
const worstOf = (hold: HeldDetail): number =>
  Math.max(...[hold, ...(hold.alternatives ?? [])].map((m) => priceOf(m, hold.inputTokens, hold.grantedOutputTokens)));

/** Each charge can be reckoned again from what its entry keeps, and each model has its tokens in the usage. */
function brokenItems({ disk }: World): string | undefined {
  const tokens = new Map<string, number>();
  const entries = disk.exec("SELECT call_id, cost_nano, detail FROM entries WHERE kind = 'settle'").toArray() as Row[];
  for (const { call_id, cost_nano, detail } of entries) {
    const kept = JSON.parse(detail as string) as PricedModel & Pick<CallItem, "usage"> & { items?: CallItem[] };
    const items: CallItem[] = kept.items ?? [
      { model: kept.model, outcome: "ok", ...(kept.usage ? { usage: kept.usage } : {}) },
    ];
    const models = items.map((item) => (kept.items ? item : kept)) as PricedModel[];
    const worth = worthOf(items, {
      ...kept,
      alternatives: models.filter(({ price }) => price),
    } as unknown as HoldRequest);
    if (worth !== cost_nano) return `the items of ${call_id} are worth ${worth} nano-USD, it cost ${cost_nano}`;
    for (const { model, usage } of items) {
      if (usage) tokens.set(model, (tokens.get(model) ?? 0) + usage.input + usage.output);
    }
  }
  const tally = disk
    .exec("SELECT model, sum(input_tokens + output_tokens) AS n FROM tally WHERE model <> '' GROUP BY 1 HAVING n <> 0")
    .toArray() as { model: string; n: number }[];
  for (const { model, n } of tally) {
    if (tokens.get(model) !== n) return `usage gives ${model} ${n} tokens, the charges ${tokens.get(model)}`;
    tokens.delete(model);
  }
  const left = [...tokens].find(([, n]) => n > 0);
  return left ? `usage leaves out ${left[1]} tokens of ${left[0]}` : undefined;
}

/** D1's record of each call is the ledger's newest one. */
function brokenRecord({ disk, books }: World): string | undefined {
  const fields = ["model", "status", "cost_nano", "credit_nano", "input_tokens", "output_tokens", "pos"];
  const newest = new Map<string, Row>();
  for (const { body } of disk.exec("SELECT body FROM call_batches ORDER BY pos").toArray() as { body: string }[]) {
    for (const row of JSON.parse(body) as Row[]) newest.set(row.id as string, row);
  }
  for (const copy of books.all("SELECT * FROM usage_records")) {
    const mine = newest.get(copy.id as string);
    const differs = mine && fields.find((field) => mine[field] !== copy[field]);
    if (differs) return `D1 has ${differs} ${copy[differs]} of ${copy.id}, the ledger ${mine[differs]}`;
  }
  return undefined;
}

/** What must hold when everything has come to rest. */
export function brokenAtRest(world: World): string | undefined {
  const { disk, books } = world;
  const one = (query: string) => disk.exec(query).toArray()[0] as Record<string, number>;
  const { holds, pending } = one(`
    SELECT (SELECT count(*) FROM holds) AS holds,
           (SELECT count(*) FROM call_batches WHERE pos > (SELECT acked FROM outbox)) AS pending`) as {
    holds: number;
    pending: number;
  };
  if (holds > 0) return `${holds} holds are left`;
  if (world.held > 0) return `${world.held} nano-USD are held in memory alone`;
  if (pending > 0) return `${pending} batches never came to D1`;
  const items = brokenItems(world);
  if (items) return items;
  const totals =
    "coalesce(sum(calls), 0) AS calls, coalesce(sum(errors), 0) AS errors, coalesce(sum(input_tokens), 0) AS input, coalesce(sum(output_tokens), 0) AS output, coalesce(sum(cost_nano), 0) AS cost";
  const mine = disk.exec(`SELECT substr(day, 1, 7) AS month, ${totals} FROM tally GROUP BY 1 ORDER BY 1`).toArray();
  const theirs = books.all(`SELECT month, ${totals} FROM monthly_usage GROUP BY 1 ORDER BY 1`);
  if (JSON.stringify(mine) !== JSON.stringify(theirs)) {
    return `D1's months ${JSON.stringify(theirs)}, the ledger's ${JSON.stringify(mine)}`;
  }
  const metered = disk
    .exec(
      "SELECT coalesce(sum(calls), 0) AS calls, coalesce(sum(input_tokens), 0) AS input, coalesce(sum(output_tokens), 0) AS output, coalesce(sum(cost_nano), 0) AS cost, (SELECT -coalesce(sum(credit_nano), 0) FROM entries WHERE kind <> 'credit') AS credit FROM tally WHERE model <> ''",
    )
    .toArray()[0];
  const copied = books.all(
    "SELECT count(*) AS calls, coalesce(sum(input_tokens), 0) AS input, coalesce(sum(output_tokens), 0) AS output, coalesce(sum(cost_nano), 0) AS cost, coalesce(sum(credit_nano), 0) AS credit FROM usage_records",
  )[0];
  if (JSON.stringify(metered) !== JSON.stringify(copied)) {
    return `D1's records ${JSON.stringify(copied)}, the ledger's ${JSON.stringify(metered)}`;
  }
  const record = brokenRecord(world);
  if (record) return record;
  const { audited } = books.all("SELECT count(DISTINCT id) AS audited FROM audit_logs")[0] as { audited: number };
  const { calls } = one("SELECT coalesce(sum(calls), 0) AS calls FROM tally") as { calls: number };
  const chain = new ChainCheck(ACCOUNT);
  chain.follow(books.all("SELECT * FROM audit_logs ORDER BY seq") as unknown as AuditLine[]);
  const head = chainHead(disk as unknown as SqlStorage);
  chain.end(head, head);
  if (chain.break) return `the audit log breaks: ${JSON.stringify(chain.break)}`;
  if (audited !== calls) return `D1 audits ${audited} calls, the ledger counts ${calls}`;
  return undefined;
}
