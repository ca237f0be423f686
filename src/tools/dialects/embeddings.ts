import * as z from "zod";
import { WaypostError } from "../../errors.ts";
import { isPriced } from "../../ledger/money.ts";
import type { HoldRequest } from "../../ledger/types.ts";
import { PassRequest } from "../../models/pass/request.ts";
import { utf8Bytes } from "../../models/tokens.ts";
import type { Models } from "../../models/types.ts";
import { type Call, type DialectReply, defineTool } from "../define.ts";
import { pricedModel } from "../priced_model.ts";
import { estimateInput } from "./reading.ts";
import { DialectOutput } from "./schema.ts";
import { refuseUnguarded } from "./unbilled.ts";

/** What a model may put around one text. */
const PER_TEXT = 16;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;

const Ids = z.array(z.int().min(0)).min(1);
const EmbeddingsInput = z.looseObject({
  model: z.string().min(1).max(200).describe("An embedding model: provider/name or a bare name."),
  input: z.union([z.string(), z.array(z.string()).min(1).max(2048), Ids, z.array(Ids).min(1).max(2048)]),
});
type Request = z.output<typeof EmbeddingsInput>;

export const embeddings = defineTool({
  name: "embeddings",
  title: "Embeddings",
  description: "OpenAI's embeddings, for programs that speak them: point their base URL here.",
  scope: "chat",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  input: EmbeddingsInput,
  output: DialectOutput,
  rest: { method: "post", path: "/embeddings" },
  restOnly: true,
  metered: true,
  dialect: "openai",
  quote: (input, models) => {
    refuseUnguarded(input);
    return hold(input, models);
  },
  run: async (call, input) => embed(call, input),
  text: ({ body }) => body,
});

/** Never below what a model would count: a text has at most as many tokens as bytes. */
function bound(input: Request["input"]): number {
  if (typeof input === "string") return utf8Bytes(input) + PER_TEXT;
  if (input.every((item) => typeof item === "number")) return input.length + PER_TEXT;
  return input.reduce<number>((sum, item) => sum + (typeof item === "number" ? 1 : bound(item)), 0);
}

function hold(input: Request, models: Models): HoldRequest | undefined {
  const { info } = models.embedding(input.model);
  if (!isPriced(info.price)) return undefined;
  return {
    ...pricedModel(info),
    inputTokens: bound(input.input),
    maxOutputTokens: 0,
    minOutputTokens: 0,
  };
}

async function embed(call: Call, input: Request): Promise<DialectReply> {
  const { info, target } = call.models.embedding(input.model);
  const url = target.url("/embeddings");
  if (!url) throw new WaypostError("model_unknown", `${info.id} makes no embeddings.`);
  const request = new PassRequest(info, target, target.patience.wholeMs);
  request.heed(call.signal);
  try {
    const sent = JSON.stringify({ ...input, model: target.modelName });
    const body = await request.text(await request.post(url, sent, JSON_TYPE));
    const reported = promptTokens(body);
    if (reported === undefined) throw request.failed("sent an answer that is not valid");
    const estimate = Math.min(estimateInput(input.input), bound(input.input));
    call.charge({ input: reported ?? estimate, output: 0 }, { model: info.id, estimated: reported === null });
    return { status: 200, contentType: "application/json", body };
  } catch (error) {
    const known = request.explain(error);
    if (known.code !== "client_closed") throw known;
    throw new WaypostError("provider_timeout", `${info.id} had not finished when the call's time was up.`);
  } finally {
    request.close();
  }
}

/** Tokens that were read; null when the answer does not tell, undefined when it is no answer. */
function promptTokens(body: string): number | null | undefined {
  try {
    const { data, usage } = JSON.parse(body) as { data?: unknown; usage?: { prompt_tokens?: unknown } };
    if (!Array.isArray(data)) return undefined;
    const tokens = usage?.prompt_tokens;
    return Number.isSafeInteger(tokens) && (tokens as number) >= 0 ? (tokens as number) : null;
  } catch {
    return undefined;
  }
}
