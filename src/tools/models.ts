import * as z from "zod";
import { WaypostError } from "../errors.ts";
import { ABILITIES } from "../models/abilities.ts";
import type { ModelInfo, Models } from "../models/types.ts";
import { type Call, defineTool } from "./define.ts";
import { type Caller, ModelOutput, modelOutput } from "./models_output.ts";

const ModelsOutput = z.object({
  object: z.literal("list"),
  data: z.array(ModelOutput),
  has_more: z.boolean(),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  unavailable: z
    .array(z.object({ provider: z.string(), why: z.string() }))
    .describe("what this server could offer and does not"),
  preferred: z.string().nullable().describe("what auto takes for this account, as it was set; null: its rules decide"),
});

const annotations = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };
const ModelId = z.string().min(1).max(300);

/** OpenAI's and Anthropic's clients both find what they know in one answer. */
export const listModels = defineTool({
  name: "list_models",
  title: "List models",
  description:
    "The models that can be asked here: context, longest answer, abilities, price per million tokens with this account's markup, " +
    "and whether this account can pay for them now.",
  scope: null,
  annotations,
  input: z.strictObject({
    provider: z.string().max(32).optional(),
    ability: z.enum(ABILITIES).optional(),
    limit: z.number().int().min(1).max(1000).optional().describe("absent: all"),
    after_id: ModelId.optional(),
    before_id: ModelId.optional(),
  }),
  output: ModelsOutput,
  rest: { method: "get", path: "/models" },
  restOnly: true,
  reads: () => ({ recent: 0 }),
  prefers: () => true,
  run: async (call, { provider, ability, limit = 1000, after_id, before_id }) => {
    const { models, embeddings, unavailable } = call.models.list();
    const all = [...models, ...embeddings]
      .map((info) => modelOutput(info, callerOf(call)))
      .filter((model) => !provider || model.provider === provider)
      .filter((model) => !ability || model.abilities.includes(ability));
    const from = after_id === undefined ? 0 : placeOf(all, after_id, "after_id") + 1;
    const to = before_id === undefined ? all.length : placeOf(all, before_id, "before_id");
    const rest = all.slice(from, to);
    const fromEnd = before_id !== undefined && after_id === undefined;
    const data = fromEnd ? rest.slice(-limit) : rest.slice(0, limit);
    return {
      object: "list" as const,
      data,
      has_more: data.length < rest.length,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
      unavailable: unavailable.filter((each) => !provider || each.provider === provider),
      preferred: call.preferred ?? null,
    };
  },
  text: ({ data, unavailable, preferred }) =>
    [
      ...data.map(lineOf),
      ...unavailable.map(({ provider, why }) => `Not offered: ${provider}, since ${why}.`),
      ...(preferred === null ? [] : [`Preferred by this account, where auto is asked: ${preferred}.`]),
    ].join("\n"),
});

export const readModel = defineTool({
  name: "read_model",
  title: "Read a model",
  description: "What list_models says of one model, also of one that is only known by name.",
  scope: null,
  annotations,
  input: z.strictObject({ model: ModelId }),
  output: ModelOutput,
  rest: { method: "get", path: "/models/{model}", slashes: true },
  restOnly: true,
  reads: () => ({ recent: 0 }),
  run: async (call, { model }) => modelOutput(found(call.models, model), callerOf(call)),
  text: lineOf,
});

function callerOf({ principal, usage }: Call): Caller {
  if (!usage) throw new Error("the admission carried no usage report");
  const { tokens, balance } = usage;
  const canPay = tokens.remaining === null || tokens.remaining > 0 || balance.available_nano > 0;
  return { plan: principal.plan, canPay };
}

/** A model for chat before one for embeddings. */
function found(models: Models, name: string): ModelInfo {
  for (const find of [() => models.resolve(name).model.info, () => models.embedding(name).info]) {
    try {
      return find();
    } catch (error) {
      if (!(error instanceof WaypostError)) throw error;
    }
  }
  const next = "GET /v1/models lists those that are.";
  throw new WaypostError("not_found", "No model of this name is offered here.", { next });
}

function placeOf(all: readonly { id: string }[], id: string, field: string): number {
  const place = all.findIndex((model) => model.id === id);
  if (place >= 0) return place;
  throw new WaypostError("invalid_input", `${field} names no model of this list.`, {
    issues: [{ path: field, message: "is no id in this list" }],
  });
}

function lineOf({ id, price, context, abilities, available, why }: z.output<typeof ModelOutput>): string {
  const costs = `$${price.input} in, $${price.output} out per million tokens`;
  return `${id}: ${abilities.join(", ")}; ${context} tokens; ${costs}${available ? "" : `; not now: ${why}`}.`;
}
