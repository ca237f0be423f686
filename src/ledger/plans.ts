import * as z from "zod";
import { WaypostError } from "../errors.ts";
import type { Plan } from "./types.ts";

const MILLION = 1_000_000;

/** The plans every installation has. Tokens are those of priced models; local models draw on nothing. */
const BUILT_IN: readonly Plan[] = [
  { id: "free", rate: { minute: 10, hour: 100, day: 1_000 }, monthlyTokens: 1 * MILLION },
  { id: "basic", rate: { minute: 30, hour: 500, day: 5_000 }, monthlyTokens: 10 * MILLION },
  { id: "pro", rate: { minute: 60, hour: 1_000, day: 10_000 }, monthlyTokens: 50 * MILLION },
  { id: "enterprise", rate: { minute: 300, hour: 10_000, day: 100_000 }, monthlyTokens: null },
];

const Limit = z.number().int().positive();
const PlansSetting = z.record(
  z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/),
  z.strictObject({
    minute: Limit,
    hour: Limit,
    day: Limit,
    monthlyTokens: z.number().int().nonnegative().nullable(),
  }),
);

/**
 * Built-in plans with those of the PLANS setting over them.
 * @throws WaypostError `not_configured` when the setting is not of its form
 */
export function parsePlans(setting: string | undefined): ReadonlyMap<string, Plan> {
  const plans = new Map(BUILT_IN.map((plan) => [plan.id, plan]));
  if (!setting) return plans;
  for (const [id, { monthlyTokens, ...rate }] of Object.entries(readSetting(setting))) {
    plans.set(id, { id, rate, monthlyTokens });
  }
  return plans;
}

function readSetting(setting: string): z.output<typeof PlansSetting> {
  try {
    return PlansSetting.parse(JSON.parse(setting));
  } catch {
    throw new WaypostError(
      "not_configured",
      "PLANS must be a JSON object: plan id -> {minute, hour, day, monthlyTokens}",
    );
  }
}
