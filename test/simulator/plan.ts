import type { AdmitRequest, CallItem, HoldRequest, Plan, PricedModel, SettleRequest } from "../../src/ledger/types.ts";

/** What a simulated client wants, rolled before it acts, so that leaving other steps out does not change it. */

export const ACCOUNT = "acc_simulated";
export const PLANS: ReadonlyMap<string, Plan> = new Map([
  ["sim", { id: "sim", rate: { minute: 12, hour: 60, day: 400 }, monthlyTokens: 6_000 }],
  ["wide", { id: "wide", rate: { minute: 40, hour: 200, day: 2_000 }, monthlyTokens: 40_000 }],
]);

/** How a provider ends: within the hold, beyond it, with an error, with an answer that could not be stored, or never. */
export type Ending = "within" | "beyond" | "error" | "billed error" | "never";

export interface CallPlan {
  callId: string;
  key: number;
  idempotency: { key: string; inputHash: string } | undefined;
  /** null: a free call. */
  hold: HoldRequest | null;
  /** Holds after it was admitted. */
  late: boolean;
  /** The gate shares the isolate with the ledger's object, and asks it the short way where it can. */
  near: boolean;
  ending: Ending;
  usage: { input: number; output: number };
  /** Tries before the one that answers; what a failed one used is charged too. */
  before: { model: string; usage: { input: number; output: number } | null }[];
  /** The model that answers. */
  answers: string;
  /** How often the end is reported, at the same time. */
  settles: number;
  /** How often the gate tries again when the ledger is gone. */
  patience: number;
  /** The client has gone before the answer. */
  leaves: boolean;
}

export type Random = () => number;

export const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
export const upTo = (random: Random, most: number): number => Math.floor(random() * (most + 1));

export function rollCall(random: Random, callId: string, keys: number): CallPlan {
  const priced = random() < 0.7;
  const inputTokens = 20 + upTo(random, 300);
  const maxOutputTokens = 50 + upTo(random, 500);
  const several = random() < 0.3;
  const hold: HoldRequest = {
    model: pick(random, ["sim/small", "sim/large"]),
    provider: "sim",
    price: { input: 150_000 + upTo(random, 7), output: 600_001 },
    markupBps: 10_300,
    ...(several ? { alternatives: [rollModel(random, "sim/second"), rollModel(random, "sim/third")] } : {}),
    inputTokens,
    maxOutputTokens,
    minOutputTokens: 1 + upTo(random, 20),
  };
  const ending = pick<Ending>(random, [
    "within",
    "within",
    "within",
    "within",
    "beyond",
    "error",
    "billed error",
    "never",
  ]);
  return {
    callId,
    key: upTo(random, keys - 1),
    idempotency:
      random() < 0.5 ? { key: `idem-${upTo(random, 9)}`, inputHash: random() < 0.85 ? "same" : "other" } : undefined,
    hold: priced ? hold : null,
    late: random() < 0.25,
    near: random() < 0.5,
    ending,
    usage: { input: upTo(random, inputTokens), output: 1 + upTo(random, maxOutputTokens) },
    ...rollTries(random, hold),
    settles: random() < 0.8 ? 1 : 1 + upTo(random, 2),
    patience: random() < 0.8 ? 5 : 0,
    leaves: random() < 0.1,
  };
}

const rollModel = (random: Random, model: string): PricedModel => ({
  model,
  provider: "sim",
  price: { input: upTo(random, 200_000), output: 1 + upTo(random, 900_000) },
  markupBps: 10_000 + upTo(random, 1_000),
});

/** Models of the hold in any order, the same one more than once too; only what a hold with alternatives allows varies. */
function rollTries(random: Random, hold: HoldRequest): Pick<CallPlan, "before" | "answers"> {
  const models = modelsOf(hold).map(({ model }) => model);
  const before: CallPlan["before"] = [];
  while (before.length < 3 && random() < (models.length > 1 ? 0.5 : 0.05)) {
    const usage = random() < 0.4 ? { input: upTo(random, hold.inputTokens), output: upTo(random, 40) } : null;
    before.push({ model: pick(random, models), usage });
  }
  return { before, answers: before.length > 0 ? pick(random, models) : hold.model };
}

const modelsOf = (hold: HoldRequest): PricedModel[] => [hold, ...(hold.alternatives ?? [])];

const factsOf = (plan: CallPlan) => ({
  account: ACCOUNT,
  callId: plan.callId,
  tool: plan.hold ? "chat" : "search",
  via: "rest" as const,
  ...(plan.idempotency ? { idempotency: plan.idempotency } : {}),
});

export const admission = (plan: CallPlan): AdmitRequest => ({
  ...factsOf(plan),
  caller: { keyHash: `hash-${plan.key}` },
  scope: "chat",
  metered: plan.hold !== null,
  ...(plan.hold && !plan.late ? { hold: plan.hold } : {}),
});

export const reservation = (plan: CallPlan, hold: HoldRequest) => ({
  ...factsOf(plan),
  keyId: `key_${plan.key}`,
  hold,
});

/** The usage as the provider reports it: beyond the hold only when that is how it ends. */
export function usageOf(plan: CallPlan, granted: number) {
  if (plan.ending === "beyond") return { input: (plan.hold?.inputTokens ?? 0) + 50, output: granted + 70 };
  return { input: plan.usage.input, output: Math.min(plan.usage.output, granted) };
}

export function settlementOf(plan: CallPlan, granted: number, durationMs: number): SettleRequest {
  const used = plan.hold !== null && plan.ending !== "error";
  return {
    ...factsOf(plan),
    metered: plan.hold !== null,
    keyId: `key_${plan.key}`,
    user: "usr_simulated",
    ...(plan.hold ? { hold: plan.hold } : {}),
    items: plan.hold ? itemsOf(plan, used ? usageOf(plan, granted) : null) : [],
    ...(plan.ending === "error" ? { error: "unavailable" as const } : {}),
    ...(plan.ending === "billed error" ? { error: "unavailable" as const } : {}),
    ...(plan.ending.includes("error") ? {} : { result: JSON.stringify({ said: plan.callId }) }),
    durationMs,
  };
}

/** As the gate reports them: what a call used that is not billed is left out. */
function itemsOf(plan: CallPlan, used: { input: number; output: number } | null): CallItem[] {
  const failed = plan.before.map(
    ({ model, usage }): CallItem => ({
      model,
      outcome: "provider_failed",
      ...(used && usage ? { usage } : {}),
    }),
  );
  const last: CallItem = { model: plan.answers, outcome: "ok", ...(used ? { usage: used } : {}) };
  return plan.ending === "error" ? failed : [...failed, last];
}

/** What the tries of a call are worth together, in nano-USD, rounded up once: computed here apart from the product's code. */
export function worthOf(items: readonly CallItem[], hold: HoldRequest): number {
  let exact = 0n;
  for (const { model, usage } of items) {
    if (!usage) continue;
    const { price, markupBps } = modelsOf(hold).find((one) => one.model === model) as PricedModel;
    exact += picoOf(price, usage.input, usage.output) * BigInt(markupBps);
  }
  return Number((exact + 9_999_999n) / 10_000_000n);
}

const picoOf = (price: PricedModel["price"], input: number, output: number): bigint =>
  BigInt(input) * BigInt(price.input) + BigInt(output) * BigInt(price.output);

/** What tokens cost at a price, in nano-USD, rounded up: computed here apart from the product's code. */
export function priceOf(hold: Pick<HoldRequest, "price" | "markupBps">, input: number, output: number): number {
  return Number((picoOf(hold.price, input, output) * BigInt(hold.markupBps) + 9_999_999n) / 10_000_000n);
}
