import { env } from "cloudflare:test";
import type { Env } from "../../src/env.ts";
import { type ErrorCode, type ErrorExtras, WaypostError } from "../../src/errors.ts";
import { costsOf, named } from "../../src/ledger/charge.ts";
import type { TokenUsage } from "../../src/ledger/money.ts";
import type { CallItem, HoldRequest } from "../../src/ledger/types.ts";
import { createModels } from "../../src/models/catalogue.ts";
import { safetyOf } from "../../src/models/safety.ts";
import { confirmRules } from "../../src/tools/confirm_rules.ts";
import type { Call, CallEvent } from "../../src/tools/define.ts";
import type { VaultApi } from "../../src/vault/types.ts";

/** A call for tests of one tool: a real vault and real models, money only written down. */
export interface RecordedCall extends Call {
  events: CallEvent[];
  holds: HoldRequest[];
  /** `cost`: of the call so far. */
  charges: { usage: TokenUsage; model: string; estimated: boolean; cost: number }[];
  tries: CallItem[];
  /** The call ended with `failBilled`. */
  billedFailure: boolean;
  controller: AbortController;
}

let calls = 0;

export function recordedCall(
  settings: Env,
  options: { vault?: string; attempt?: string; hold?: HoldRequest; granted?: number; deadlineMs?: number } = {},
): RecordedCall {
  const { VAULT } = env as unknown as Env;
  const id = `call_${++calls}`;
  const controller = new AbortController();
  const nowhere = (what: string) =>
    new Proxy({}, { get: () => () => Promise.reject(new Error(`no ${what} in this test`)) });
  const call: RecordedCall = {
    id,
    principal: { account: "a", user: "u", keyId: "k", scopes: ["chat"], plan: "free", via: "rest" },
    vault: VAULT.get(VAULT.idFromName(options.vault ?? id)) as unknown as VaultApi,
    models: createModels(settings),
    consent: { canAsk: false, rules: confirmRules(settings, "a") },
    safety: safetyOf(settings),
    blobs: nowhere("blobs") as Call["blobs"],
    accounts: nowhere("accounts") as Call["accounts"],
    bookkeeping: nowhere("bookkeeping") as Call["bookkeeping"],
    budgets: nowhere("budgets") as unknown as Call["budgets"],
    billing: nowhere("billing") as Call["billing"],
    directory: nowhere("directory") as Call["directory"],
    grants: nowhere("grants") as Call["grants"],
    sessions: nowhere("sessions") as Call["sessions"],
    invitations: nowhere("invitations") as Call["invitations"],
    origin: "https://waypost.test",
    signal: AbortSignal.any([controller.signal, AbortSignal.timeout(options.deadlineMs ?? 60_000)]),
    controller,
    deadline: Date.now() + (options.deadlineMs ?? 60_000),
    attempt: options.attempt ?? id,
    ...(options.granted === undefined ? {} : { granted: options.granted }),
    streamed: true,
    drainMs: 20_000,
    events: [],
    holds: options.hold ? [options.hold] : [],
    charges: [],
    tries: [],
    billedFailure: false,
    emit: (event) => void call.events.push(event),
    async reserve(hold) {
      if (call.holds.length > 0) throw new Error("held twice");
      call.holds.push(hold);
      return options.granted ?? hold.maxOutputTokens;
    },
    charge(usage, { model, estimated = false }) {
      const hold = call.holds[0];
      if (hold && !named(hold, model)) throw new Error(`the hold does not name ${model}`);
      const items = [...call.charges, { usage, model }].map((one): CallItem => ({ ...one, outcome: "ok" }));
      const cost = hold ? costsOf(items, hold).costNano : 0;
      call.charges.push({ usage, model, estimated, cost });
      return cost;
    },
    tried(model, outcome) {
      call.tries.push({ model, outcome });
    },
    failBilled(code: ErrorCode, detail: string, extras?: ErrorExtras): never {
      call.billedFailure = true;
      throw new WaypostError(code, detail, extras);
    },
  };
  return call;
}
