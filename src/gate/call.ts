import { Accounts } from "../auth/accounts.ts";
import { Directory } from "../auth/directory.ts";
import { Invitations } from "../auth/invitations.ts";
import { Grants } from "../auth/oauth/grants.ts";
import { Sessions } from "../auth/sessions.ts";
import { urlsOf } from "../auth/urls.ts";
import { AccountBudgets } from "../billing/account_budgets.ts";
import { Billing } from "../billing/billing.ts";
import { Bookkeeping } from "../books/bookkeeping.ts";
import type { Env } from "../env.ts";
import { type ErrorCode, type ErrorExtras, unwrap, WaypostError } from "../errors.ts";
import { costsOf, named } from "../ledger/charge.ts";
import { forPlan } from "../ledger/markup.ts";
import type { TokenUsage } from "../ledger/money.ts";
import type { UsageAnswers, UsageQuery } from "../ledger/report_types.ts";
import type { CallFacts, CallItem, HoldRequest, NotAnswered, UsageReport } from "../ledger/types.ts";
import { createModels } from "../models/catalogue.ts";
import { safetyOf } from "../models/safety.ts";
import { TimeLimit } from "../time_limit.ts";
import type { Asked } from "../tools/confirm.ts";
import { confirmRules } from "../tools/confirm_rules.ts";
import type { Call, Principal } from "../tools/define.ts";
import { drainMs } from "../tools/stream_times.ts";
import type { CallRequest } from "./gate.ts";
import { type Background, blobsOf, ledgerOf, reachLedger, reserveNear, vaultOf } from "./stores.ts";

/** A failure that bills what was charged before it. */
export class BilledFailure extends WaypostError {}

interface Admission {
  facts: CallFacts;
  principal: Principal;
  attempt: string;
  hold: HoldRequest | undefined;
  reply: UsageAnswers & { grantedOutputTokens?: number; preferred?: string };
  deadline: number;
  /** What its door gave with it; without `emit` nobody reads along. */
  request: Pick<CallRequest, "emit" | "left" | "cancel" | "betas" | "keepIn" | "asked">;
}

/** The call the gate admitted: holds what it may use, and remembers what it did use. */
export class AdmittedCall implements Call {
  readonly id: string;
  readonly principal: Principal;
  readonly attempt: string;
  readonly deadline: number;
  readonly usage: UsageReport | undefined;
  readonly answers: UsageAnswers;
  readonly granted: number | undefined;
  readonly preferred: string | undefined;
  readonly emit: Call["emit"];
  readonly streamed: boolean;
  readonly left: AbortSignal | undefined;
  readonly betas: Call["betas"];
  /** Tries at models so far. */
  readonly items: CallItem[] = [];
  readonly #env: Env;
  readonly #ctx: Background;
  readonly #facts: CallFacts;
  readonly #cancel: AbortSignal | undefined;
  readonly #asked: Asked;
  readonly #keepIn: Call["keepIn"];
  #keptIn: string | undefined;
  #hold: HoldRequest | undefined;
  #limit: TimeLimit | undefined;

  constructor(env: Env, ctx: Background, admission: Admission) {
    this.#env = env;
    this.#ctx = ctx;
    this.#facts = admission.facts;
    this.#hold = admission.hold && forPlan(admission.hold, admission.principal.plan);
    this.id = admission.facts.callId;
    this.principal = admission.principal;
    this.attempt = admission.attempt;
    this.deadline = admission.deadline;
    const { reply, request } = admission;
    this.usage = reply.usage;
    this.answers = reply;
    this.granted = reply.grantedOutputTokens;
    this.preferred = reply.preferred;
    this.streamed = request.emit !== undefined;
    this.emit = request.emit ?? ignore;
    this.left = request.left;
    this.#cancel = request.cancel;
    this.betas = request.betas;
    this.#keepIn = request.keepIn;
    this.#asked = request.asked ?? NOBODY;
  }

  keepIn(): string | undefined {
    this.#keptIn = this.#keepIn?.();
    return this.#keptIn;
  }

  /** The session made for its answer because nobody waited for it; absent: there is none. */
  get keptIn(): string | undefined {
    return this.#keptIn;
  }

  /** Made on first use: most calls never ask. */
  get signal(): AbortSignal {
    this.#limit ??= new TimeLimit(Math.max(0, this.deadline - Date.now()), this.#cancel);
    return this.#limit.signal;
  }
  get vault() {
    return vaultOf(this.#env, this.principal.account);
  }
  get models() {
    return createModels(this.#env);
  }
  get consent() {
    return { ...this.#asked, rules: confirmRules(this.#env, this.principal.account) };
  }
  get drainMs() {
    return drainMs(this.#env);
  }
  get safety() {
    return safetyOf(this.#env);
  }
  get blobs() {
    return blobsOf(this.#env, this.principal.account);
  }
  get accounts() {
    return new Accounts(this.#env);
  }
  get budgets() {
    return new AccountBudgets(this.#env, this.principal);
  }
  get billing() {
    return new Billing(this.#env);
  }
  get bookkeeping() {
    return new Bookkeeping(this.#env);
  }
  get directory() {
    return new Directory(this.#env);
  }
  get grants() {
    return new Grants(this.#env);
  }
  get sessions() {
    return new Sessions(this.#env);
  }
  get invitations() {
    return new Invitations(this.#env);
  }
  get origin() {
    return urlsOf(this.#env).issuer;
  }
  get hold(): HoldRequest | undefined {
    return this.#hold;
  }
  /** What was charged so far comes to, in nano-USD; nothing without a hold. */
  get costNano(): number {
    return this.#hold ? costsOf(this.items, this.#hold).costNano : 0;
  }

  async reserve(wanted: HoldRequest): Promise<number> {
    if (this.#hold) throw new Error("a call holds money once");
    const hold = forPlan(wanted, this.principal.plan);
    const request = { ...this.#facts, keyId: this.principal.keyId, hold };
    const near = reserveNear(this.#env, this.#ctx, request);
    const reserved = unwrap(
      near ?? (await reachLedger(this.#env, () => ledgerOf(this.#env, request.account).reserve(request))),
    );
    this.#hold = hold;
    return reserved.grantedOutputTokens;
  }

  async usagePage(query: UsageQuery, after: readonly string[] | null) {
    const ledger = ledgerOf(this.#env, this.principal.account);
    return unwrap(await reachLedger(this.#env, () => ledger.usagePage(query, after), 2));
  }

  /** Its work is done: nobody waits for its deadline any more. */
  ended(): void {
    this.#limit?.end();
  }

  charge(usage: TokenUsage, note: { model: string; estimated?: boolean }): number {
    const { model, estimated } = note;
    if (this.#hold && !named(this.#hold, model)) throw new Error(`the hold does not name ${model}`);
    this.items.push({ model, outcome: "ok", usage, ...(estimated ? { estimated } : {}) });
    return this.costNano;
  }

  tried(model: string, why: NotAnswered): void {
    this.items.push({ model, outcome: why });
  }

  failBilled(code: ErrorCode, detail: string, extras?: ErrorExtras): never {
    throw new BilledFailure(code, detail, extras);
  }
}

const NOBODY: Asked = { canAsk: false };

function ignore(): void {}
