import * as z from "zod";
import { DIMENSIONS } from "../ledger/report_types.ts";

/** The shapes in which usage is reported. Amounts are integers in nano-USD. */

const int = z.number().int();

export const Totals = z.object({ calls: int, errors: int, input_tokens: int, output_tokens: int, cost_nano: int });

export const Tokens = z.object({
  included: int.nullable(),
  used: int,
  reserved: int,
  remaining: int.nullable(),
  resets_at: z.string(),
});

export const Balance = z.object({ credit_nano: int, reserved_nano: int, available_nano: int });

export const Limits = z.array(
  z.object({ window: z.string(), limit: z.number(), remaining: z.number(), reset_seconds: z.number() }),
);

export const limitOf = (window: { name: string; limit: number; remaining: number; resetMs: number }) => ({
  window: window.name,
  limit: window.limit,
  remaining: window.remaining,
  reset_seconds: Math.ceil(window.resetMs / 1_000),
});

export const ForecastOutput = z.object({
  cost_nano: int,
  calls: int,
  tokens: int,
  hours_so_far: int,
  hours_in_month: int,
  how: z.string(),
});

/** Said with every forecast, so that nobody takes it for more than it is. */
export const FORECAST_HOW = "so far × hours of the month ÷ hours begun (at least 24)";

const name = z.string().nullable().optional();
const Names = { day: name, month: name, model: name, tool: name, key: name, session: name, user: name, client: name };

export const GroupsOutput = z.object({
  from: z.string(),
  to: z.string(),
  by: z.array(z.enum(DIMENSIONS)),
  total: Totals,
  groups: z.array(Totals.extend(Names)),
  others: Totals.extend({ groups: int }).nullable().describe("Sum of the groups that are not listed"),
});

export const CallOutput = z.object({
  id: z.string(),
  at: z.string(),
  status: z.string().describe("ok, an error code, expired, or open"),
  tool: z.string(),
  model: z.string().nullable(),
  provider: z.string().nullable(),
  key_id: z.string(),
  user: z.string().nullable(),
  client: z.string().nullable(),
  via: z.string().nullable(),
  session_id: z.string().nullable(),
  event_id: z.string().optional().describe("Of reported usage"),
  metadata: z.record(z.string(), z.string()).optional(),
  duration_ms: int.nullable(),
  estimated: z.boolean().describe("The provider did not say what was used"),
  price_version: z.string().nullable(),
  price_tier_above: int.nullable().describe("Prompt tokens above which this price holds"),
  markup: z.string().nullable(),
  tries: z
    .array(
      z.object({
        n: int,
        model: z.string(),
        provider: z.string().nullable(),
        outcome: z.string().describe("ok, passed_over, or the error code it failed with"),
        estimated: z.boolean(),
        price_version: z.string().nullable(),
        price_tier_above: int.nullable(),
        markup: z.string().nullable(),
        cost_nano: int,
      }),
    )
    .describe("Models that were asked, in order"),
  items: z.array(
    z.object({
      try: int.describe("n of the try"),
      class: z.string(),
      tokens: int,
      price_pico_usd: int.describe("Per token, 1e-12 USD"),
      exact_usd: z.string().describe("Tokens × price × markup, unrounded"),
      cost_nano: int.describe("Rounded so that the items come to the cost"),
    }),
  ),
  cost_nano: int,
  funding: z.enum(["included", "credit"]).nullable(),
  credit_nano: int,
  overrun_nano: int.describe("Part of credit_nano beyond the hold"),
  plan_tokens: int,
  hold: z
    .object({
      at: z.string(),
      ended_at: z.string().nullable(),
      held_nano: int,
      released_nano: int,
      held_tokens: int,
      input_tokens: int,
      granted_output_tokens: int,
    })
    .nullable(),
  entries: z.array(
    z.object({
      kind: z.string(),
      at: z.string(),
      hold_nano: int,
      credit_nano: int,
      tokens: int,
      cost_nano: int,
    }),
  ),
});
