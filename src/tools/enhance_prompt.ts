import * as z from "zod";
import { WaypostError } from "../errors.ts";
import { formatUsd, isPriced, type TokenUsage, totalInput, totalOutput } from "../ledger/money.ts";
import { type EnhanceRequest, enhanceRequest } from "../models/prompt_enhance.ts";
import { estimatePrompt, estimateTokens } from "../models/tokens.ts";
import type { ChatModel, Models } from "../models/types.ts";
import { type Call, defineTool } from "./define.ts";
import { improveByRules } from "./enhance_prompt_rules.ts";

const MAX_OUTPUT = 4_096;
const MIN_OUTPUT = 256;

const EnhanceOutput = z.object({
  prompt: z.string(),
  changes: z.array(z.string()),
  questions: z.array(z.string()).describe("What its author should still say; only by rules"),
  by: z.enum(["model", "rules"]),
  model: z.string().nullable().describe("Model that was asked; null: none"),
  why: z.string(),
  usage: z.object({ input_tokens: z.number(), output_tokens: z.number(), estimated: z.boolean() }),
  cost: z.object({ nano_usd: z.number(), usd: z.string() }),
});

type Reply = z.output<typeof EnhanceOutput>;

export const enhancePrompt = defineTool({
  name: "enhance_prompt",
  title: "Improve a prompt",
  description:
    "Rewrites a rough prompt so that a model understands it, and says what was changed; never carries it out. A small model " +
    "does it; where none is offered, fixed rules sort the prompt and ask for what is missing.",
  scope: "chat",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: z.strictObject({
    prompt: z
      .string()
      .max(32_768)
      .refine((prompt) => prompt.trim() !== "", "Say something to improve."),
    model: z.string().default("auto:quick").describe("local/extractive: by rules, free"),
  }),
  output: EnhanceOutput,
  rest: { method: "post", path: "/prompts/enhance" },
  restOnly: true,
  metered: true,
  quote: ({ prompt, model }, models) => {
    const chosen = modelFor(models, model, prompt);
    if (!chosen || !isPriced(chosen.info.price)) return undefined;
    const { id, provider, price, markupBps, planMarkups } = chosen.info;
    const maxOutputTokens = outputTokens(chosen, prompt);
    return {
      model: id,
      provider,
      price,
      markupBps,
      ...(planMarkups ? { planMarkups } : {}),
      inputTokens: models.boundTokens(enhanceRequest(prompt).messages),
      maxOutputTokens,
      minOutputTokens: Math.min(MIN_OUTPUT, maxOutputTokens),
    };
  },
  run: async (call, { prompt, model }) => {
    const chosen = modelFor(call.models, model, prompt);
    if (!chosen) return byRules(prompt, "no model that writes is offered, or none was wanted");
    const request = enhanceRequest(prompt);
    const wanted = outputTokens(chosen, prompt);
    const asked = await ask(call, chosen, request, Math.min(call.granted ?? wanted, wanted));
    const { id } = chosen.info;
    if (!asked) return byRules(prompt, `${id} did not answer`);
    const spent = {
      model: id,
      usage: {
        input_tokens: totalInput(asked.usage),
        output_tokens: totalOutput(asked.usage),
        estimated: asked.estimated,
      },
      cost: { nano_usd: asked.cost, usd: formatUsd(asked.cost) },
    };
    const read = request.read(asked.text);
    if (!read) return { ...byRules(prompt, `${id} answered in another form than was asked for`), ...spent };
    return { ...read, questions: [], by: "model" as const, why: `${model}: ${id}`, ...spent };
  },
  text: ({ prompt, changes, questions }) =>
    [prompt, ...changes.map((change) => `- ${change}`), ...questions.map((question) => `? ${question}`)].join("\n"),
});

/** The first model of the route that writes of its own and takes the prompt; undefined: rules must do. */
function modelFor(models: Models, name: string, prompt: string): ChatModel | undefined {
  const { messages } = enhanceRequest(prompt);
  const route = models.route(name, { messages: [{ role: "user", content: prompt }], grounded: false });
  return route.models.find((each) => {
    const room = each.info.contextTokens - outputTokens(each, prompt);
    return !each.info.needsPassages && estimatePrompt(messages) <= room;
  });
}

/** An improved prompt is seldom over twice as long. */
const outputTokens = ({ info }: ChatModel, prompt: string): number =>
  Math.min(2 * estimateTokens(prompt) + 600, MAX_OUTPUT, info.maxOutputTokens, Math.floor(info.contextTokens / 2));

/** The model's answer, charged; undefined when its provider failed, which is free. */
async function ask(call: Call, model: ChatModel, { messages }: EnhanceRequest, maxOutputTokens: number) {
  let text = "";
  let used: { usage: TokenUsage; estimated: boolean } | undefined;
  try {
    for await (const event of model.stream({ messages, passages: [], maxOutputTokens, signal: call.signal })) {
      if (event.type === "delta") text += event.text;
      else used = event;
    }
  } catch (error) {
    if (!(error instanceof WaypostError) || !error.code.startsWith("provider_")) throw error;
    call.tried(model.info.id, error.code);
    return undefined;
  }
  if (!used) throw new Error("a model's stream ended without its last event");
  const { usage, estimated } = used;
  return { text, usage, estimated, cost: call.charge(usage, { model: model.info.id, estimated }) };
}

const byRules = (prompt: string, why: string): Reply => ({
  ...improveByRules(prompt),
  by: "rules",
  model: null,
  why,
  usage: { input_tokens: 0, output_tokens: 0, estimated: false },
  cost: { nano_usd: 0, usd: formatUsd(0) },
});
