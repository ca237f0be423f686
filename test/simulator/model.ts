import type { AdmitReply, Ended, KeptAnswer, SettleRequest } from "../../src/ledger/types.ts";
import { type CallPlan, PLANS, worthOf } from "./plan.ts";
import type { World } from "./world.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** A clock that steps back makes the time an answer is kept shorter by as much. */
const KEPT_AT_LEAST = DAY - 5 * MINUTE;

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
  /** Calls that a client was told cost nothing because another was charged for their idempotency key. */
  readonly freed = new Set<string>();
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
  /** When the ledger was first told that a call has ended: from then on it may have kept the answer. */
  readonly #settling = new Map<string, number>();
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

  /** The ledger is told that a call has ended; nobody may ever hear what it says. */
  settling(callId: string): void {
    if (!this.#settling.has(callId)) this.#settling.set(callId, this.#world.clock.now);
  }

  /** A client was told the answer to its idempotency key: all are told the same. `heard`: when it may have been decided. */
  told(plan: CallPlan, { callId, result }: Pick<KeptAnswer, "callId" | "result">, heard: number): void {
    if (!plan.idempotency) return;
    const at = this.#settling.get(callId) ?? heard;
    const attempt = `${plan.key} ${plan.idempotency.key}`;
    const { inputHash } = plan.idempotency;
    const before = this.results.get(attempt);
    // What was asked long ago may have been settled only now, when the first answer was not kept any more.
    const { latest } = this.#world.clock;
    if (!before || (before.callId !== callId && latest >= before.at + KEPT_AT_LEAST)) {
      this.results.set(attempt, { callId, inputHash, result, at });
      return;
    }
    // Or it was settled so long before the other that its answer was not kept when that one ran.
    if (before.callId !== callId && at + KEPT_AT_LEAST <= before.at) return;
    if (before.inputHash !== inputHash) this.report(`${plan.callId} got the answer to another input`);
    if (before.result !== result || before.callId !== callId) {
      this.report(`${plan.callId} got another answer than ${before.callId} with the same idempotency key`);
    }
  }

  #kept({ key, idempotency }: CallPlan, now: number): Kept | undefined {
    const kept = idempotency && this.results.get(`${key} ${idempotency.key}`);
    return kept && now < kept.at + DAY - MINUTE ? kept : undefined;
  }

  /** Another call may have been charged for the idempotency key of this one, and the time its answer is kept be over. */
  #outlived({ callId }: CallPlan): boolean {
    const attempt = this.attempts.get(callId);
    return [...this.#settling].some(
      ([other, at]) =>
        other !== callId &&
        attempt !== undefined &&
        this.attempts.get(other) === attempt &&
        this.#world.clock.latest >= at + KEPT_AT_LEAST,
    );
  }

  /** A client was told what its call cost; `at`: when the ledger settled it. */
  settled(plan: CallPlan, request: SettleRequest, { costNano, kept }: Ended, at: number): void {
    const before = this.charges.get(plan.callId);
    if (before !== undefined && before !== costNano) {
      this.report(`${plan.callId} cost ${before} nano-USD, and then ${costNano}`);
    }
    this.charges.set(plan.callId, costNano);
    const { hold, items, result } = request;
    const worth = hold ? worthOf(items, hold) : 0;
    // Work done twice for one idempotency key is charged once, also when it is heard of so late that the answer is not kept any more.
    const freed = costNano === 0 && (kept !== undefined || this.#outlived(plan));
    if (costNano !== worth && freed) this.freed.add(plan.callId);
    else if (costNano !== worth) this.report(`${plan.callId} is worth ${worth} nano-USD and cost ${costNano}`);
    if (kept) this.told(plan, kept, at);
    else if (result !== undefined && !freed) this.told(plan, { callId: plan.callId, result }, at);
  }
}
