import { Accounts } from "../auth/accounts.ts";
import { Directory } from "../auth/directory.ts";
import { Invitations } from "../auth/invitations.ts";
import { Grants } from "../auth/oauth/grants.ts";
import { Sessions } from "../auth/sessions.ts";
import { urlsOf } from "../auth/urls.ts";
import type { Env } from "../env.ts";
import { type ErrorCode, type ErrorExtras, unwrap, WaypostError } from "../errors.ts";
import { costNano, type TokenUsage } from "../ledger/money.ts";
import type { CallFacts, HoldRequest, UsageReport } from "../ledger/types.ts";
import { createModels } from "../models/catalogue.ts";
import type { Call, CallEvent, Principal } from "../tools/define.ts";
import { blobsOf, ledgerOf, reach, vaultOf } from "./stores.ts";

/** A failure that bills what was charged before it. */
export class BilledFailure extends WaypostError {}

interface Admission {
  facts: CallFacts;
  principal: Principal;
  attempt: string;
  hold?: HoldRequest;
  granted?: number;
  usage?: UsageReport;
  deadline: number;
  emit: (event: CallEvent) => void;
}

/** The call the gate admitted: holds what it may use, and remembers what it did use. */
export class AdmittedCall implements Call {
  readonly id: string;
  readonly principal: Principal;
  readonly attempt: string;
  readonly deadline: number;
  readonly usage: UsageReport | undefined;
  readonly granted: number | undefined;
  readonly emit: (event: CallEvent) => void;
  readonly #env: Env;
  readonly #facts: CallFacts;
  #hold: HoldRequest | undefined;
  #signal: AbortSignal | undefined;
  #charged: { usage: TokenUsage; model: string; estimated: boolean; costNano: number } | undefined;

  constructor(env: Env, admission: Admission) {
    this.#env = env;
    this.#facts = admission.facts;
    this.#hold = admission.hold;
    this.id = admission.facts.callId;
    this.principal = admission.principal;
    this.attempt = admission.attempt;
    this.deadline = admission.deadline;
    this.usage = admission.usage;
    this.granted = admission.granted;
    this.emit = admission.emit;
  }

  /** Made on first use: most calls never ask. */
  get signal(): AbortSignal {
    this.#signal ??= AbortSignal.timeout(Math.max(0, this.deadline - Date.now()));
    return this.#signal;
  }
  get vault() {
    return vaultOf(this.#env, this.principal.account);
  }
  get models() {
    return createModels(this.#env);
  }
  get blobs() {
    return blobsOf(this.#env, this.principal.account);
  }
  get accounts() {
    return new Accounts(this.#env);
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
  get charged() {
    return this.#charged;
  }

  async reserve(hold: HoldRequest): Promise<number> {
    if (this.#hold) throw new Error("a call holds money once");
    const ledger = ledgerOf(this.#env, this.principal.account);
    const request = { ...this.#facts, keyId: this.principal.keyId, hold };
    const reserved = unwrap(await reach("ledger", () => ledger.reserve(request)));
    this.#hold = hold;
    return reserved.grantedOutputTokens;
  }

  charge(usage: TokenUsage, note: { model: string; estimated?: boolean }): number {
    if (this.#charged) throw new Error("a call is charged once");
    const cost = this.#hold ? costNano(usage, this.#hold.price, this.#hold.markupBps) : 0;
    this.#charged = { usage, model: note.model, estimated: note.estimated ?? false, costNano: cost };
    return cost;
  }

  failBilled(code: ErrorCode, detail: string, extras?: ErrorExtras): never {
    throw new BilledFailure(code, detail, extras);
  }
}
