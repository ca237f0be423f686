import * as z from "zod";
import type { TokenUsage } from "../ledger/money.ts";
import type { RelayedEvent } from "../ledger/types.ts";
import { usageOf } from "../models/usage/usage.ts";
import type { Call } from "./define.ts";

/** One event of usage that happened elsewhere: its form, its tokens, its price. */

const Tokens = z.number().int().min(0).max(1_000_000_000);
const Name = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[\x21-\x7e]+$/, "visible ASCII characters only");

const Classes = z.strictObject({
  input: Tokens,
  output: Tokens,
  cache_read: Tokens.optional(),
  cache_write: Tokens.optional(),
  cache_write_1h: Tokens.optional(),
  input_audio: Tokens.optional(),
  cache_read_audio: Tokens.optional(),
  output_audio: Tokens.optional(),
  reasoning: Tokens.optional(),
});
/** The event of OpenAI's Realtime API as it came, of which only the tokens are read. */
const ResponseDone = z.looseObject({
  type: z.literal("response.done"),
  response: z.looseObject({ usage: z.record(z.string(), z.unknown()) }),
});

export const IngestedEvent = z.strictObject({
  event_id: Name.describe("Your id of it; repeated, it is booked once"),
  at: z.iso.datetime({ offset: true }).describe("When it happened: at most 35 days ago"),
  model: Name,
  provider: Name.default("openai"),
  usage: z
    .union([Classes, ResponseDone])
    .describe("Tokens by class, none counted twice; or a `response.done` event of the Realtime API"),
  session_id: Name.optional(),
  metadata: z.record(z.string().max(64), z.string().max(256)).optional().describe("Kept with the charge; 16 at most"),
});

export type Read = { event: RelayedEvent } | { reason: "invalid" | "model_unpriced"; detail: string };

/** An event as the ledger takes it, or why it is refused. */
export async function readEvent(call: Call, input: unknown): Promise<Read> {
  const parsed = IngestedEvent.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return { reason: "invalid", detail: `${issue?.path.join(".") || "event"}: ${issue?.message ?? "not acceptable"}` };
  }
  const { event_id, at, model, provider, usage: told, session_id, metadata } = parsed.data;
  if (metadata && Object.keys(metadata).length > 16) {
    return { reason: "invalid", detail: "metadata: 16 fields at most" };
  }
  const usage = "type" in told ? usageOf("openai-realtime", told) : fromClasses(told as z.output<typeof Classes>);
  if (!usage) return { reason: "invalid", detail: "usage: the counts contradict each other" };
  const when = Date.parse(at);
  if (Number.isNaN(when)) return { reason: "invalid", detail: "at: there is no such time" };
  const price = call.models.priceOf(provider, model, when);
  if (!price) return { reason: "model_unpriced", detail: `No price is known for ${provider}/${model}.` };
  const { planMarkups } = price;
  return {
    event: {
      callId: await callIdOf(call.principal.account, event_id),
      at: when,
      model: `${provider}/${model}`,
      provider,
      usage,
      price: price.price,
      markupBps: planMarkups?.[call.principal.plan] ?? price.markupBps,
      sessionId: session_id ?? null,
      detail: { eventId: event_id, ...(metadata ? { metadata } : {}) },
    },
  };
}

/** Unique over all accounts, because the books of all of them hold it; the same for the same event. */
async function callIdOf(account: string, eventId: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${account}\n${eventId}`));
  const hex = Array.from(new Uint8Array(digest, 0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `relay_${hex}`;
}

function fromClasses(told: z.output<typeof Classes>): TokenUsage {
  const classes = {
    cacheRead: told.cache_read,
    cacheWrite: told.cache_write,
    cacheWrite1h: told.cache_write_1h,
    inputAudio: told.input_audio,
    cacheReadAudio: told.cache_read_audio,
    outputAudio: told.output_audio,
    reasoning: told.reasoning,
  };
  const used = Object.entries(classes).filter(([, tokens]) => tokens !== undefined && tokens > 0);
  return { input: told.input, output: told.output, ...Object.fromEntries(used) };
}
