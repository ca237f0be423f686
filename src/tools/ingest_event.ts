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
  response: z.looseObject({ status: z.string().optional(), usage: z.record(z.string(), z.unknown()).nullish() }),
});
/** Ends of a response that may have used nothing: of any other, a report without usage has lost it. */
const CUT_SHORT = ["cancelled", "failed", "incomplete"];

export const IngestedEvent = z.strictObject({
  event_id: Name.describe("Your id of it; repeated, it is booked once"),
  at: z.iso.datetime({ offset: true }).describe("When it happened: at most 35 days ago"),
  model: Name.describe("Name of the provider's, or `provider/name`"),
  provider: Name.optional().describe("Default: as `model` says, or `openai`"),
  usage: z
    .record(z.string(), z.unknown())
    .describe("Tokens by class, none counted twice; or a `response.done` event of the Realtime API"),
  session_id: Name.optional(),
  metadata: z.record(z.string().max(64), z.string().max(256)).optional().describe("Kept with the charge; 16 at most"),
});

export type Read = { event: RelayedEvent } | { reason: "invalid" | "model_unpriced"; detail: string };

/** An event as the ledger takes it, or why it is refused. */
export async function readEvent(call: Call, input: unknown): Promise<Read> {
  const parsed = IngestedEvent.safeParse(input);
  if (!parsed.success) return { reason: "invalid", detail: firstIssue(parsed.error, "event") };
  const { event_id, at, session_id, metadata } = parsed.data;
  if (metadata && Object.keys(metadata).length > 16) {
    return { reason: "invalid", detail: "metadata: 16 fields at most" };
  }
  const usage = usageIn(parsed.data.usage);
  if (typeof usage === "string") return { reason: "invalid", detail: usage };
  const when = Date.parse(at);
  if (Number.isNaN(when)) return { reason: "invalid", detail: "at: there is no such time" };
  const { provider, model, price } = pricedModel(call, parsed.data, when);
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

/** The tokens, or what is wrong with them. */
function usageIn(told: Record<string, unknown>): TokenUsage | string {
  if (!("type" in told)) {
    const classes = Classes.safeParse(told);
    return classes.success ? fromClasses(classes.data) : firstIssue(classes.error, "usage");
  }
  const done = ResponseDone.safeParse(told);
  if (!done.success) return firstIssue(done.error, "usage");
  const { status, usage } = done.data.response;
  if (usage) return usageOf("openai-realtime", told) ?? "usage: the counts contradict each other";
  if (status !== undefined && CUT_SHORT.includes(status)) return { input: 0, output: 0 };
  return `usage.response.usage: missing, and the response is ${status ?? "without a status"}: only one that is ${CUT_SHORT.join(", ")} may have used nothing`;
}

function firstIssue({ issues: [issue] }: z.ZodError, whole: "event" | "usage"): string {
  const path = [...(whole === "usage" ? [whole] : []), ...(issue?.path ?? [])].join(".");
  return `${path || whole}: ${issue?.message ?? "not acceptable"}`;
}

/** The model by either of its names, and its price if it has one. */
function pricedModel(call: Call, { provider, model }: { provider?: string | undefined; model: string }, when: number) {
  const [first, ...others] = readings(provider, model);
  const priced = (named: Named) => ({ ...named, price: call.models.priceOf(named.provider, named.model, when) });
  const asFirst = priced(first);
  return asFirst.price ? asFirst : (others.map(priced).find(({ price }) => price) ?? asFirst);
}

type Named = Pick<RelayedEvent, "provider" | "model">;

/** What a name may mean, the likeliest first: names of providers' own have slashes too. */
function readings(provider: string | undefined, model: string): [Named, ...Named[]] {
  const at = model.indexOf("/");
  const ours = at > 0 ? { provider: model.slice(0, at), model: model.slice(at + 1) } : undefined;
  const theirs = { provider: provider ?? "openai", model };
  if (!ours || (provider !== undefined && provider !== ours.provider)) return [theirs];
  return provider === undefined ? [ours, theirs] : [theirs, ours];
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
