import type { Plan } from "./types.ts";

const MILLION = 1_000_000;
/** Nano-USD in a cent. */
export const CENT = 10_000_000;

/** The plans every installation has. Tokens are those of priced models; local models draw on nothing. */
const PLANS: readonly Plan[] = [
  { id: "free", rate: { minute: 10, hour: 100, day: 1_000 }, monthlyTokens: 1 * MILLION, nanoUsdMonth: 0 },
  { id: "basic", rate: { minute: 30, hour: 500, day: 5_000 }, monthlyTokens: 10 * MILLION, nanoUsdMonth: 999 * CENT },
  {
    id: "pro",
    rate: { minute: 60, hour: 1_000, day: 10_000 },
    monthlyTokens: 50 * MILLION,
    nanoUsdMonth: 2_999 * CENT,
  },
  { id: "enterprise", rate: { minute: 300, hour: 10_000, day: 100_000 }, monthlyTokens: null, nanoUsdMonth: null },
];

export const BUILT_IN: ReadonlyMap<string, Plan> = new Map(PLANS.map((plan) => [plan.id, plan]));
