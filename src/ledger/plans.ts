import * as z from "zod";
import { WaypostError } from "../errors.ts";
import { BUILT_IN, CENT } from "./built_in_plans.ts";
import type { Plan } from "./types.ts";

const Limit = z.number().int().positive();
const ToolName = z.string().regex(/^[a-z][a-z_]{0,63}$/);
const PlansSetting = z.record(
  z.string().regex(/^[a-z][a-z0-9_-]{0,31}$/),
  z.strictObject({
    minute: Limit,
    hour: Limit,
    day: Limit,
    monthlyTokens: z.number().int().nonnegative().nullable(),
    /** Decimal USD with at most two places. */
    usd_month: z
      .string()
      .regex(/^\d{1,6}(\.\d{1,2})?$/)
      .nullable()
      .default(null),
    tools: z
      .record(ToolName, z.strictObject({ minute: Limit.optional(), hour: Limit.optional(), day: Limit.optional() }))
      .optional(),
  }),
);

/**
 * Built-in plans with those of the PLANS setting over them.
 * @throws WaypostError `not_configured` when the setting is not of its form
 */
export function parsePlans(setting: string | undefined): ReadonlyMap<string, Plan> {
  if (!setting) return BUILT_IN;
  const plans = new Map(BUILT_IN);
  for (const [id, { monthlyTokens, usd_month, tools, ...rate }] of Object.entries(readSetting(setting))) {
    plans.set(id, { id, rate, monthlyTokens, nanoUsdMonth: nanoOf(usd_month), ...(tools ? { tools } : {}) });
  }
  return plans;
}

function nanoOf(usd: string | null): number | null {
  if (usd === null) return null;
  const [whole, cents = ""] = usd.split(".");
  return Number(`${whole}${cents.padEnd(2, "0")}`) * CENT;
}

function readSetting(setting: string): z.output<typeof PlansSetting> {
  try {
    return PlansSetting.parse(JSON.parse(setting));
  } catch {
    throw new WaypostError(
      "not_configured",
      "PLANS must be a JSON object: plan id -> {minute, hour, day, monthlyTokens, usd_month?, tools?}",
    );
  }
}
