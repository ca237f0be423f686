import * as z from "zod";
import type { RelayedOutcome } from "../ledger/types.ts";
import { defineTool } from "./define.ts";
import { readEvent } from "./ingest_event.ts";

const MOST_EVENTS = 1_000;

const REASONS = {
  late: "It happened more than 35 days ago.",
  early: "It happens more than 5 minutes from now.",
  too_large: "It costs more than can be reckoned exactly.",
} as const;

const Outcome = z.object({
  event_id: z.string().nullable(),
  call_id: z.string().optional().describe("The call it was booked as, now or before: GET /v1/usage/calls/{call_id}"),
  status: z
    .enum(["accepted", "duplicate", "conflict", "refused"])
    .describe("`duplicate`: it was booked before; `conflict`: with another model or usage, which stands"),
  cost_nano: z.number().int().optional().describe("nano-USD; of accepted events"),
  funding: z.string().optional().describe("`included` or `credit`"),
  reason: z.string().optional(),
  detail: z.string().optional(),
});
type Outcome = z.output<typeof Outcome>;

/** Usage of a trusted relay. REST only: it is for services that use models on the account's behalf. */
export const ingestUsage = defineTool({
  name: "ingest_usage",
  title: "Report usage that happened elsewhere",
  description:
    "Books usage of models that a relay of yours called itself: priced by the price book, each event once by its `event_id`, on " +
    "the day it happened. The plan's tokens pay first, then prepaid credit, which may fall below zero; later calls are refused then. " +
    "An event that is refused does not hinder the others.",
  scope: "usage:ingest",
  annotations: { readOnlyHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    events: z
      .array(z.unknown())
      .min(1)
      .max(MOST_EVENTS)
      .describe(
        "{event_id, at, model: `name` or `provider/name`, provider?, usage, session_id?, metadata?}; `usage`: {input, output, cache_read?, cache_write?, cache_write_1h?, " +
          "input_audio?, cache_read_audio?, output_audio?, reasoning?} or a `response.done` event of OpenAI's Realtime API",
      ),
  }),
  output: z.object({
    accepted: z.number().int(),
    duplicates: z.number().int(),
    conflicts: z.number().int(),
    refused: z.number().int(),
    cost_nano: z.number().int(),
    events: z.array(Outcome),
  }),
  rest: { method: "post", path: "/usage/events" },
  restOnly: true,
  run: async (call, { events }) => {
    const read = await Promise.all(events.map((event) => readEvent(call, event)));
    const { account, keyId, user, client } = call.principal;
    const taken = read.flatMap((each) => ("event" in each ? [each.event] : []));
    const by = { keyId, user, ...(client ? { client } : {}) };
    const booked = taken.length > 0 ? await call.billing.ingest(account, taken, by) : [];
    let next = 0;
    const outcomes = read.map((each, i): Outcome => {
      const { event_id } = Object(events[i]) as { event_id?: unknown };
      const id = { event_id: typeof event_id === "string" ? event_id.slice(0, 128) : null };
      return "event" in each
        ? { ...id, ...told(each.event.callId, booked[next++] as RelayedOutcome) }
        : { ...id, status: "refused", ...each };
    });
    const count = (status: Outcome["status"]) => outcomes.filter((each) => each.status === status).length;
    return {
      accepted: count("accepted"),
      duplicates: count("duplicate"),
      conflicts: count("conflict"),
      refused: count("refused"),
      cost_nano: outcomes.reduce((sum, each) => sum + (each.cost_nano ?? 0), 0),
      events: outcomes,
    };
  },
  text: ({ accepted, duplicates, conflicts, refused, cost_nano }) =>
    `${accepted} events booked for ${cost_nano} nano-USD, ${duplicates} known before, ${conflicts} known as something else, ${refused} refused.`,
});

function told(call_id: string, outcome: RelayedOutcome): Pick<Outcome, "status"> & Partial<Outcome> {
  if (outcome.status === "accepted") {
    return { call_id, status: "accepted", cost_nano: outcome.costNano, funding: outcome.funding };
  }
  if (outcome.status === "duplicate") return { call_id, status: "duplicate" };
  if (outcome.status === "conflict") {
    const { model, inputTokens, outputTokens } = outcome.booked;
    const booked = `${inputTokens} tokens in and ${outputTokens} out of ${model}`;
    return {
      call_id,
      status: "conflict",
      reason: "other_usage",
      detail: `This id was booked before for ${booked}, which stands.`,
    };
  }
  return { status: "refused", reason: outcome.reason, detail: REASONS[outcome.reason] };
}
