import * as z from "zod";

/**
 * The mutations a device may push. `exact` is what is enforced, one strict shape a kind. `advertised` says the same in
 * one flat shape, because an agent pays for this schema with every tool list: it takes a third of the tokens.
 */

const id = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, "Use 1 to 128 characters of A-Z, a-z, 0-9, _ and -.");
const target = { id, session_id: id };
const title = z.string().max(200).optional();
const model = z.string().max(200);
const base = z.int().min(0);
const texts = z.array(z.string().max(4_000)).max(100).optional();
const context = z
  .strictObject({ framing: z.string().max(16_000).optional(), local_knowledge: texts, constraints: texts })
  .optional();

const isTime = (text: string) => /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text));

const message = z.strictObject({
  id,
  parent_id: id.nullable().default(null),
  role: z.enum(["system", "user", "assistant", "tool"]),
  content: z.string().max(1_048_576),
  created_at: z.string().max(40).refine(isTime, "Use ISO 8601, e.g. 2026-01-31T12:00:00Z."),
  model: model.optional(),
  metadata: z
    .record(z.string(), z.unknown())
    .refine((value) => JSON.stringify(value).length <= 65_536, "Use at most 64 KiB of JSON.")
    .optional(),
});

const exact = z.discriminatedUnion("kind", [
  z.strictObject({ ...target, kind: z.literal("session.create"), title, model_preference: model.optional(), context }),
  z.strictObject({
    ...target,
    kind: z.literal("session.update"),
    base_seq: base,
    title,
    model_preference: model.nullish(),
    context,
  }),
  z.strictObject({ ...target, kind: z.enum(["session.clear", "session.delete"]), base_seq: base.optional() }),
  z.strictObject({ ...target, kind: z.literal("message.append"), messages: z.array(message).min(1).max(200) }),
]);

const anyText = z.string().optional();
const anyTexts = z.array(z.string()).optional();

const advertised = z.strictObject({
  kind: z.enum(["session.create", "session.update", "session.clear", "session.delete", "message.append"]),
  id: z.string().describe("New ULID; same on retry"),
  session_id: z.string().describe("ULID"),
  base_seq: z
    .number()
    .optional()
    .describe("cursor.seq of your last pull. Update: required. Clear, delete: spares what you have not seen"),
  title: anyText.describe("Create, update"),
  model_preference: z.string().nullish().describe("Create, update"),
  context: z
    .strictObject({
      framing: anyText.describe("How to answer"),
      local_knowledge: anyTexts.describe("Facts"),
      constraints: anyTexts.describe("Rules"),
    })
    .optional()
    .describe("Create, update; absent fields stay"),
  messages: z
    .array(
      z.strictObject({
        id: z.string().describe("New ULID"),
        parent_id: z.string().nullish().describe("Answers this message"),
        role: message.shape.role,
        content: z.string(),
        created_at: z.string().describe("ISO 8601"),
        model: anyText,
        metadata: z.looseObject({}).optional(),
      }),
    )
    .optional()
    .describe("Append, 1 to 200, stored together: a tool call with its result"),
});

export const mutationSchema = advertised.transform((mutation): unknown => mutation).pipe(exact);
