import type { AdmitRequest, HoldRequest, Plan, SettleRequest } from "../../src/ledger/types.ts";

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
  ending: Ending;
  usage: { input: number; output: number };
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
  const hold: HoldRequest = {
    model: pick(random, ["sim/small", "sim/large"]),
    provider: "sim",
    price: { input: 150_000 + upTo(random, 7), output: 600_001 },
    markupBps: 10_300,
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
    ending,
    usage: { input: upTo(random, inputTokens), output: 1 + upTo(random, maxOutputTokens) },
    settles: random() < 0.8 ? 1 : 1 + upTo(random, 2),
    patience: random() < 0.8 ? 5 : 0,
    leaves: random() < 0.1,
  };
}

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
    ...(plan.hold ? { hold: plan.hold, model: plan.hold.model } : {}),
    ...(used ? { usage: usageOf(plan, granted) } : {}),
    ...(plan.ending === "error" ? { error: "unavailable" as const } : {}),
    ...(plan.ending === "billed error" ? { error: "unavailable" as const } : {}),
    ...(plan.ending.includes("error") ? {} : { result: JSON.stringify({ said: plan.callId }) }),
    durationMs,
  };
}

/** What tokens cost at a price, in nano-USD, rounded up: computed here apart from the product's code. */
export function priceOf(hold: Pick<HoldRequest, "price" | "markupBps">, input: number, output: number): number {
  const pico = BigInt(input) * BigInt(hold.price.input) + BigInt(output) * BigInt(hold.price.output);
  return Number((pico * BigInt(hold.markupBps) + 9_999_999n) / 10_000_000n);
}
