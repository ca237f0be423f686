import type { AdmitReply, Settlement, SettleRequest } from "../../src/ledger/types.ts";
import { type CallPlan, PLANS, priceOf } from "./plan.ts";
import type { World } from "./world.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

interface Kept {
  callId: string;
  inputHash: string;
  result: string;
  at: number;
}

/** What the outside was told, and what follows from it: kept apart from the ledger, and compared with it. */
export class Model {
  violation: string | undefined;
  /** Charges a client was told, by call. */
  readonly charges = new Map<string, number>();
  /** Results a client was told, by key and idempotency key. */
  readonly results = new Map<string, Kept>();
  /** Idempotency key of each call that has one. */
  readonly attempts = new Map<string, string>();
  /** Credit that was confirmed, by id. */
  readonly credits = new Map<string, number>();
  readonly revoked = new Set<number>();
  /** How many admissions the counters on disk have seen. */
  countersWritten = 0;
  plan = "sim";
  #admissions: { at: number; key: number }[] = [];
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  report(what: string): void {
    this.violation ??= what;
  }

  /** Returns what takes it back. */
  countersAreWritten(): () => void {
    const before = this.countersWritten;
    this.countersWritten = this.#admissions.length;
    return () => {
      this.countersWritten = before;
    };
  }

  /** A crash may lose the counters of the last second, and nothing else. */
  crashed(counters: number): void {
    this.#admissions = this.#admissions.slice(0, counters);
    this.countersWritten = Math.min(this.countersWritten, counters);
  }

  decided(plan: CallPlan, reply: AdmitReply): void {
    if (plan.idempotency) this.attempts.set(plan.callId, `${plan.key} ${plan.idempotency.key}`);
    if (reply.kind !== "admitted") return;
    const { now } = this.#world.clock;
    if (this.revoked.has(plan.key)) this.report(`key_${plan.key} was admitted after it was revoked`);
    this.#admissions.push({ at: now, key: plan.key });
    // Of a clock that steps back the furthest time counts, as the ledger has it.
    const { latest } = this.#world.clock;
    const recent = this.#admissions.filter(({ at }) => at > latest - MINUTE && at <= now).length;
    const allowed = PLANS.get(this.plan)?.rate.minute ?? 0;
    if (recent > allowed) this.report(`${recent} calls were admitted within a minute, ${allowed} are allowed`);
    const { hold } = plan;
    if (hold && !plan.late && (reply.grantedOutputTokens ?? -1) < hold.minOutputTokens) {
      this.report(`${plan.callId} was granted ${reply.grantedOutputTokens} tokens, fewer than it can do with`);
    }
    const kept = this.#kept(plan, now);
    if (kept) this.report(`${plan.callId} runs, though ${kept.callId} was answered with the same idempotency key`);
  }

  replayed(plan: CallPlan, reply: AdmitReply & { kind: "replay" }): void {
    const kept = this.#kept(plan, this.#world.clock.now);
    if (!kept) return;
    if (kept.inputHash !== plan.idempotency?.inputHash) this.report(`${plan.callId} got the answer to another input`);
    if (kept.result !== reply.result || kept.callId !== reply.callId) {
      this.report(`${plan.callId} got another answer than ${kept.callId} with the same idempotency key`);
    }
  }

  #kept({ key, idempotency }: CallPlan, now: number): Kept | undefined {
    const kept = idempotency && this.results.get(`${key} ${idempotency.key}`);
    return kept && now < kept.at + DAY - MINUTE ? kept : undefined;
  }

  /** Two free calls ran with one key, after a restart or a lease: the answer that is kept is the other's. */
  #keptForAnother(attempt: string, callId: string): boolean {
    const kept = this.#world.disk.exec("SELECT call_id FROM results WHERE key = ?", `key_${attempt}`).toArray()[0];
    return kept !== undefined && kept.call_id !== callId;
  }

  /** A client was told what its call cost; `at`: when the ledger settled it. */
  settled(plan: CallPlan, request: SettleRequest, { costNano }: Settlement, at: number): void {
    const before = this.charges.get(plan.callId);
    if (before !== undefined && before !== costNano) {
      this.report(`${plan.callId} cost ${before} nano-USD, and then ${costNano}`);
    }
    this.charges.set(plan.callId, costNano);
    const { hold, usage } = request;
    const worth = hold && usage ? priceOf(hold, usage.input, usage.output) : 0;
    const attempt = plan.idempotency && `${plan.key} ${plan.idempotency.key}`;
    const other = attempt ? this.results.get(attempt) : undefined;
    // Work done twice for one idempotency key is charged once.
    const freed = costNano === 0 && attempt !== undefined;
    if (costNano !== worth && !freed) this.report(`${plan.callId} is worth ${worth} nano-USD and cost ${costNano}`);
    if (!attempt || request.result === undefined || other?.callId === plan.callId) return;
    if (costNano !== worth || (worth === 0 && this.#keptForAnother(attempt, plan.callId))) return;
    const { result } = request;
    const inputHash = plan.idempotency?.inputHash ?? "";
    if (!other || at >= other.at + DAY - 5 * MINUTE) {
      this.results.set(attempt, { callId: plan.callId, inputHash, result, at });
    }
  }
}
