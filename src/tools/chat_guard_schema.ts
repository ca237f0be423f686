import * as z from "zod";
import { KINDS } from "../models/redaction/types.ts";

/** Fields of a chat that few callers need; an agent's list of tools leaves them out. */
export const guardFields = {
  redact: z
    .union([z.boolean(), z.array(z.enum(KINDS)).min(1)], { error: `true, false, or a list of ${KINDS.join(", ")}` })
    .optional()
    .describe("Keep these from the provider")
    .meta({ rest: true }),
  redact_terms: z
    .array(z.string().trim().min(2).max(100))
    .min(1)
    .max(100)
    .optional()
    .describe("Further words to keep from the provider")
    .meta({ rest: true }),
  moderate: z
    .union([
      z.boolean(),
      z.strictObject({
        input: z.boolean().default(true),
        output: z.boolean().default(true),
        on_failure: z.enum(["closed", "open"]).default("closed"),
      }),
    ])
    .optional()
    .describe("Have what is sent and answered judged")
    .meta({ rest: true }),
  cache: z
    .union([z.boolean(), z.literal("sampled")], { error: 'true, false or "sampled"' })
    .optional()
    .describe("Take the answer given in the last hour to the same; `sampled`: at a temperature too")
    .meta({ rest: true }),
};

const Guarding = z.object(guardFields);
export type GuardInput = z.output<typeof Guarding>;
