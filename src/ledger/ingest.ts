import { ok, type Result } from "../errors.ts";
import type { Books, Hold } from "./books.ts";
import type { SettledFacts } from "./call_details.ts";
import type { CreditRows } from "./credit_rows.ts";
import type { Journal } from "./journal.ts";
import { costNano, type TokenClass, totalInput, totalOutput, totalTokens } from "./money.ts";
import type { OutboxRow } from "./rows.ts";
import type { Funding, Plan, RelayedEvent, RelayedOutcome } from "./types.ts";

/** Events are taken for this long after they happened. Their ids are found as long as the entries are kept: always. */
export const LATE_MS = 35 * 24 * 60 * 60 * 1_000;
/** Clocks may differ by this much. */
export const EARLY_MS = 5 * 60 * 1_000;

const TOOL = "relay";

interface Surroundings {
  rows: CreditRows;
  books: Books;
  journal: Journal;
  plan: Pick<Plan, "monthlyTokens">;
  book: (row: OutboxRow) => void;
  now: () => number;
}

/**
 * Usage that happened elsewhere and is told afterwards: booked to the day it happened on, once per id. It is paid from what
 * is there when it is told, the plan's tokens first; the balance may fall below zero, for nothing can be refused any more.
 */
export class Ingestion {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Outcomes in the order of the events, when all that was accepted is on disk. */
  async ingest(
    events: readonly RelayedEvent[],
    by: { keyId: string; user: string; client?: string },
  ): Promise<Result<RelayedOutcome[]>> {
    const { rows, journal } = this.#around;
    journal.write();
    const charged = rows.chargedAmong(events.map(({ callId }) => callId));
    const outcomes = events.map((event): RelayedOutcome => {
      const before = charged.get(event.callId);
      if (before) return isSame(before, event) ? { status: "duplicate" } : conflictWith(before);
      const outcome = this.#take(event, by);
      if (outcome.status === "accepted") charged.set(event.callId, event);
      return outcome;
    });
    journal.flush();
    return ok(outcomes);
  }

  #take(event: RelayedEvent, by: { keyId: string; user: string; client?: string }): RelayedOutcome {
    const { books, journal } = this.#around;
    const now = this.#around.now();
    if (event.at > now + EARLY_MS) return { status: "refused", reason: "early" };
    if (event.at < now - LATE_MS) return { status: "refused", reason: "late" };
    if (!this.#reckonable(event)) return { status: "refused", reason: "too_large" };
    const posted = books.settle(this.#spent(event, by.keyId), [
      { model: event.model, outcome: "ok", usage: event.usage },
    ]);
    const row = rowOf(event, by, posted);
    const kept = { ...event.detail, call: factsOf(row, event.at) };
    journal.post(
      posted.entries.map((entry) => ({ ...entry, detail: { ...entry.detail, ...kept } })),
      now,
    );
    this.#around.book(row);
    return { status: "accepted", costNano: posted.costNano, funding: posted.funding };
  }

  /** Whether the balance stays a number that is exact. */
  #reckonable({ usage, price, markupBps }: RelayedEvent): boolean {
    const { balanceNano, settledCostNano } = this.#around.books.state;
    try {
      const cost = costNano(usage, price, markupBps);
      return Number.isSafeInteger(balanceNano - cost) && Number.isSafeInteger(settledCostNano + cost);
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  /** A hold that was never placed and that everything fits in: what has happened exceeds nothing. */
  #spent({ callId, model, provider, price, markupBps, usage }: RelayedEvent, keyId: string): Hold {
    const tokens = totalTokens(usage);
    const included = this.#around.books.remainingTokens(this.#around.plan.monthlyTokens) >= tokens;
    const request = { model, provider, price, markupBps, inputTokens: 0, maxOutputTokens: 0, minOutputTokens: 0 };
    const bounds = { nano: Number.MAX_SAFE_INTEGER, tokens: 0, grantedOutputTokens: 0, expiresAt: 0 };
    return { callId, keyId, tool: TOOL, request, funding: included ? "included" : "credit", ...bounds };
  }
}

type Used = Pick<RelayedEvent, "model" | "usage">;

/** Whether both cost the same for the same: the time may be told anew with each try to report it. */
function isSame(one: Used, other: Used): boolean {
  const classes = Object.keys({ ...one.usage, ...other.usage }) as TokenClass[];
  return one.model === other.model && classes.every((name) => (one.usage[name] ?? 0) === (other.usage[name] ?? 0));
}

const conflictWith = ({ model, usage }: Used): RelayedOutcome => ({
  status: "conflict",
  booked: { model, inputTokens: totalInput(usage), outputTokens: totalOutput(usage) },
});

function rowOf(
  event: RelayedEvent,
  by: { keyId: string; user: string; client?: string },
  posted: { costNano: number; creditNano: number; funding: Funding },
): OutboxRow {
  return {
    id: event.callId,
    pos: 0,
    at: new Date(event.at).toISOString(),
    tool: TOOL,
    model: event.model,
    key_id: by.keyId,
    user: by.user,
    via: "rest",
    client: by.client ?? null,
    input_tokens: totalInput(event.usage),
    output_tokens: totalOutput(event.usage),
    cost_nano: posted.costNano,
    credit_nano: posted.creditNano,
    status: "ok",
    estimated: false,
    duration_ms: null,
    session_id: event.sessionId,
  };
}

/** What the entry remembers when the record is kept no more. */
const factsOf = (row: OutboxRow, begunAt: number): SettledFacts => ({
  tool: row.tool,
  user: row.user,
  via: row.via,
  client: row.client,
  session_id: row.session_id,
  status: row.status,
  estimated: row.estimated,
  duration_ms: row.duration_ms,
  begun_at: begunAt,
});
