import * as z from "zod";

/** What the key tools share: fields of their inputs, and a key as they show it. */

export const Account = z.string().min(1).max(64).optional().describe("Another account; needs the scope `admin`");
export const KeyId = z.string().min(1).max(64).describe("Key id, key_…");
export const KeyName = z.string().trim().min(1).max(100);

const Limit = z.number().int().positive().max(1_000_000).optional();
export const Limits = z.strictObject({ minute: Limit, hour: Limit, day: Limit });

const Nano = z.number().int();
export const Budget = z.strictObject({
  nano_usd: Nano.nonnegative().max(1_000_000_000_000_000).describe("nano-USD (1 USD = 1000000000)"),
  period: z.enum(["month", "total"]).describe("Of each calendar month (UTC), or in all"),
});

/** Seconds that a rotated secret works beside the new one. */
export const Overlap = z.number().int().min(0).max(604_800);

export const KeyOutput = z.object({
  id: z.string(),
  name: z.string(),
  user: z.string(),
  scopes: z.array(z.string()),
  created_at: z.string(),
  created_by: z.string().nullable().describe("Id of the credential it was made with"),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  limits: z.object({ minute: Limit, hour: Limit, day: Limit }).nullable(),
  budget: z
    .object({
      nano_usd: Nano,
      period: z.enum(["month", "total"]),
      spent_nano: Nano.describe("What its calls in the period were worth, whoever paid"),
      reserved_nano: Nano.describe("The most its running calls can still cost"),
      resets_at: z.string().nullable(),
    })
    .nullable(),
  previous: z
    .object({ expires_at: z.string(), last_used_at: z.string().nullable() })
    .nullable()
    .describe("The secret before the last rotation: how long it works, and its last use since"),
});
