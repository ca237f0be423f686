import { WaypostError } from "../../errors.ts";
import { isPriced } from "../../ledger/money.ts";
import type { HoldRequest } from "../../ledger/types.ts";
import { dialects } from "../../models/dialects/dialects.ts";
import type { DialectName } from "../../models/dialects/types.ts";
import type { ChatMessage, ModelInfo, Models } from "../../models/types.ts";
import { refuseUnbilled } from "./unbilled.ts";

/** Output tokens when the caller leaves it open. */
const DEFAULT_OUTPUT = 4096;
/** Fewest output tokens worth starting for; asked for less, that is enough. */
const MIN_OUTPUT = 64;

export type Body = Record<string, unknown> & { model: string; stream?: boolean | null | undefined };

/** What the admission decided about a request, for the run that follows it. */
export interface Plan {
  info: ModelInfo;
  /** Upper bound of the input tokens. */
  inputTokens: number;
  /** Output tokens wanted of each answer. */
  wanted: number;
  /** Answers wanted (`n`). */
  answers: number;
}

/** The gate shows the same input to the quote and to the run, and `auto` must not choose differently the second time. */
const plans = new WeakMap<object, Plan>();

/** Whether the account's preference decides which model it is. */
export const prefersIn = ({ model }: Body): boolean => model === "auto";

/**
 * `preferred`: the model that the account prefers, known once the call is admitted.
 * @throws WaypostError `model_unknown`, `model_unpriced`, `invalid_input`
 */
export function planOf(name: DialectName, body: Body, models: Models, preferred?: string): Plan {
  const known = preferred === undefined ? plans.get(body) : undefined;
  if (known) return known;
  refuseUnbilled(name, body);
  const { info } = choose(name, body, models, preferred);
  const answers = name === "openai-chat" && typeof body.n === "number" ? body.n : 1;
  const most = Math.min(info.maxOutputTokens, info.contextTokens);
  const plan = {
    info,
    inputTokens: dialects[name].boundTokens(body, info.model),
    wanted: Math.min(askedOutput(name, body) ?? DEFAULT_OUTPUT, most),
    answers,
  };
  plans.set(body, plan);
  return plan;
}

/** The most the request can cost; undefined when its model costs nothing. */
export function holdOf({ info, inputTokens, wanted, answers }: Plan): HoldRequest | undefined {
  if (!isPriced(info.price)) return undefined;
  return {
    model: info.id,
    provider: info.provider,
    price: info.price,
    markupBps: info.markupBps,
    ...(info.planMarkups ? { planMarkups: info.planMarkups } : {}),
    inputTokens,
    maxOutputTokens: wanted * answers,
    minOutputTokens: Math.min(MIN_OUTPUT, wanted) * answers,
  };
}

/** The field of a request that limits its output, where it has one. */
export const OUTPUT_FIELDS: Record<DialectName, readonly string[]> = {
  "openai-chat": ["max_completion_tokens", "max_tokens"],
  "openai-responses": ["max_output_tokens"],
  "anthropic-messages": ["max_tokens"],
};

function askedOutput(name: DialectName, body: Body): number | undefined {
  const given = OUTPUT_FIELDS[name].map((field) => body[field]).filter((value) => typeof value === "number");
  return given.length > 0 ? Math.min(...given) : undefined;
}

function choose(name: DialectName, body: Body, models: Models, preferred?: string): { info: ModelInfo } {
  if (!body.model.startsWith("auto")) return models.resolve(body.model).model;
  const messages = plainMessages(name, body);
  const own = preferred === undefined ? [] : [{ model: preferred, of: "account" as const }];
  const first = models.route(body.model, { messages, grounded: false, preferred: own }).models[0];
  if (!first) throw new WaypostError("model_unknown", `"${body.model}" leads to no model here.`);
  return first;
}

/** What the rules of `auto` look at: the words of the conversation. */
function plainMessages(name: DialectName, body: Body): ChatMessage[] {
  return dialects[name].decode(body).options.prompt.flatMap(({ role, content }): ChatMessage[] => {
    if (role === "tool") return [];
    const text =
      typeof content === "string" ? content : content.map((part) => (part.type === "text" ? part.text : "")).join("");
    return [{ role, content: text }];
  });
}
