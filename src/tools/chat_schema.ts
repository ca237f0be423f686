import * as z from "zod";
import { utf8Bytes } from "../models/tokens.ts";
import { guardFields } from "./chat_guard_schema.ts";
import { Citation } from "./citations.ts";
import { confirmField } from "./confirm.ts";
import { NextCalls } from "./next_calls.ts";
import { TemplateUse } from "./templates.ts";

/** What a session can store of one message. */
const MAX_CONTENT_BYTES = 1024 * 1024;

/** Bounds that need no word in the schema are checked below it: every agent pays for each word when it lists the tools. */
export const ChatInput = z
  .strictObject({
    message: z
      .string()
      .min(1)
      .optional()
      .describe("Instead of `messages`")
      .meta({ aka: ["prompt", "query", "question", "text", "input"] }),
    messages: z
      .array(z.strictObject({ role: z.enum(["system", "user", "assistant"]), content: z.string().min(1) }))
      .min(1)
      .max(500)
      .optional()
      .describe("User last; with session_id only what is new"),
    model: z.string().default("auto").describe("auto, auto:quick|general|code|hard, provider/name or name"),
    session_id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,128}$/)
      .optional()
      .describe("Saved session to continue or create")
      .meta({ aka: ["session", "conversation_id"] }),
    grounding: z
      .union([
        z.boolean(),
        z.strictObject({
          limit: z.int().min(1).max(20).default(6),
          document_ids: z.array(z.string()).min(1).max(100).optional(),
        }),
      ])
      .optional()
      .describe("Answer from the user's documents, cited"),
    max_tokens: z
      .int()
      .min(1)
      .optional()
      .meta({ aka: ["max_output_tokens", "max_completion_tokens"] }),
    temperature: z.number().min(0).max(2).optional(),
    template: TemplateUse.optional().describe("Saved prompt, instead of `messages`").meta({ rest: true }),
    ...guardFields,
    confirm: confirmField,
  })
  .superRefine((input, context) => {
    const issue = (path: (string | number)[], message: string) => context.addIssue({ code: "custom", path, message });
    if ([input.message, input.messages, input.template].filter((each) => each !== undefined).length !== 1) {
      issue(["message"], "Give exactly one of `message`, `messages` and `template`.");
    }
    if (input.messages && input.messages.at(-1)?.role !== "user") {
      issue(["messages", input.messages.length - 1, "role"], "The last message must be the user's.");
    }
    if (tooLong(input.message)) issue(["message"], "A message may have 1 MiB at most.");
    for (const [i, { content }] of (input.messages ?? []).entries()) {
      if (tooLong(content)) issue(["messages", i, "content"], "A message may have 1 MiB at most.");
    }
  });

const tooLong = (text = ""): boolean => text.length * 3 > MAX_CONTENT_BYTES && utf8Bytes(text) > MAX_CONTENT_BYTES;

export type ChatRequest = z.output<typeof ChatInput>;

export const ChatOutput = z.object({
  id: z.string(),
  model: z.string(),
  provider: z.string(),
  why: z.string(),
  attempts: z
    .array(
      z.object({
        model: z.string(),
        outcome: z.string().describe("ok, passed_over, or the error code it failed with"),
      }),
    )
    .optional()
    .describe("When it took several"),
  text: z.string(),
  finish_reason: z.string().describe("stop, length, content_filter, other, later (see text)"),
  max_tokens: z.number().optional().describe("Granted, when the money was for fewer than asked"),
  grounded: z.boolean().describe("It cites what it says"),
  citations: z.array(Citation),
  usage: z.object({
    input_tokens: z.number().describe("Without cache reads"),
    output_tokens: z.number(),
    cache_read_tokens: z.number(),
    estimated: z.boolean(),
    cached: z.boolean().optional().describe("Given before, from the response cache"),
  }),
  cost: z.object({
    nano_usd: z.number(),
    usd: z.string(),
    funding: z.enum(["included", "credit"]).nullish().describe("What paid: the plan's tokens or prepaid credit"),
    price_version: z.string().nullish(),
    call_id: z.string().optional().describe("For `usage`, which itemises it"),
  }),
  left: z.object({ plan_tokens: z.number().nullable(), resets_at: z.string(), credit_nano: z.number() }).optional(),
  session_id: z.string().optional(),
  next: NextCalls,
});

export type ChatReply = z.output<typeof ChatOutput>;
