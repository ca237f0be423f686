import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { WaypostError } from "../../errors.ts";
import { isPriced } from "../../ledger/money.ts";
import type { HoldRequest } from "../../ledger/types.ts";
import { dialects } from "../../models/dialects/dialects.ts";
import type { DialectName } from "../../models/dialects/types.ts";
import { isReasoningModel } from "../../models/limits.ts";
import { needsOf } from "../../models/routing/needs.ts";
import type { ChatMessage, ModelInfo, Models, Route } from "../../models/types.ts";
import { pricedModel } from "../priced_model.ts";
import { isPassed } from "./passed.ts";
import { refuseUnbilled } from "./unbilled.ts";

/** Output tokens when the caller leaves it open; a model that thinks first takes many of them for that. */
const DEFAULT_OUTPUT = 4096;
const DEFAULT_THINKING_OUTPUT = 32_768;
/** Fewest output tokens worth starting for; asked for less, that is enough. */
const MIN_OUTPUT = 64;

export type Body = Record<string, unknown> & { model: string; stream?: boolean | null | undefined };

/** What the admission decided about a request and one of the models it may go to, for the run that follows it. */
export interface Plan {
  info: ModelInfo;
  /** How the models were chosen. */
  why: string;
  /** The caller's own name leads to it, so an answer that is written here repeats that name. */
  named: boolean;
  /** Upper bound of the input tokens. */
  inputTokens: number;
  /** Output tokens wanted of each answer. */
  wanted: number;
  /** Answers wanted (`n`). */
  answers: number;
}

/** The gate shows the same input to the quote and to the run, and `auto` must not choose differently the second time. */
const plans = new WeakMap<object, Plan[]>();

/** Whether the account's preference decides which model it is. */
export const prefersIn = ({ model }: Body): boolean => model === "auto";

/**
 * The models to ask, the choice first, then those that stand in when it fails.
 * `preferred`: the model that the account prefers, known once the call is admitted.
 * @throws WaypostError `model_unknown`, `model_unpriced`, `invalid_input`
 */
export function plansOf(name: DialectName, body: Body, models: Models, preferred?: string): Plan[] {
  const known = preferred === undefined ? plans.get(body) : undefined;
  if (known) return known;
  refuseUnbilled(name, body);
  const answers = name === "openai-chat" && typeof body.n === "number" ? body.n : 1;
  const route = routeOf(name, body, models, preferred);
  const made = candidates(name, body, models, route).map((info, i) => ({
    info,
    why: route.why,
    named: i === 0 && isName(body.model),
    inputTokens: dialects[name].boundTokens(body, info.model),
    wanted: wantedOutput(name, body, info),
    answers,
  }));
  plans.set(body, made);
  return made;
}

/** The most the request can cost, whichever of the models answers; undefined when none of them costs anything. */
export function holdOf(made: readonly Plan[]): HoldRequest | undefined {
  if (!made.some(({ info }) => isPriced(info.price))) return undefined;
  const [first, ...alternatives] = made.map(({ info }) => pricedModel(info));
  if (!first) return undefined;
  return {
    ...first,
    ...(alternatives.length > 0 ? { alternatives } : {}),
    inputTokens: Math.max(...made.map(({ inputTokens }) => inputTokens)),
    maxOutputTokens: Math.max(...made.map(({ wanted, answers }) => wanted * answers)),
    minOutputTokens: Math.max(...made.map(({ wanted, answers }) => Math.min(MIN_OUTPUT, wanted) * answers)),
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

/** Output tokens of each answer: what was asked, else room for a usual answer, and for the thoughts before it. */
function wantedOutput(name: DialectName, body: Body, info: ModelInfo): number {
  const asked = askedOutput(name, body) ?? (thinks(body, info) ? DEFAULT_THINKING_OUTPUT : DEFAULT_OUTPUT);
  return Math.min(asked, info.maxOutputTokens, info.contextTokens);
}

const thinks = ({ reasoning_effort, reasoning, thinking }: Body, { model }: ModelInfo): boolean =>
  isReasoningModel(model) ||
  [reasoning_effort, reasoning, thinking].some((wish) => wish !== undefined && wish !== null);

/** One model, as opposed to `auto` or several. */
const isName = (model: string): boolean => !model.startsWith("auto") && !model.includes(",");

function candidates(name: DialectName, body: Body, models: Models, route: Route): ModelInfo[] {
  const [first, ...others] = route.models.map(({ info }) => info);
  if (!first) throw new WaypostError("model_unknown", `"${body.model}" leads to no model here.`);
  const standIns = others.filter((info) => !info.needsPassages);
  if (standIns.every((info) => isPassed(name, info, models)) || isConvertible(name, body)) return [first, ...standIns];
  return [first, ...standIns.filter((info) => isPassed(name, info, models))];
}

function routeOf(name: DialectName, body: Body, models: Models, preferred?: string): Route {
  if (!body.model.startsWith("auto")) return models.route(body.model, { messages: [], grounded: false });
  const { options } = dialects[name].decode(body);
  const own = preferred === undefined ? [] : [{ model: preferred, of: "account" as const }];
  const messages = plainMessages(options.prompt);
  return models.route(body.model, { messages, grounded: false, preferred: own, needs: needsOf(options) });
}

/** Whether it can be said in another dialect; which model is asked makes no difference. */
function isConvertible(name: DialectName, body: Body): boolean {
  try {
    dialects[name].decode(body);
    return true;
  } catch (error) {
    if (error instanceof WaypostError) return false;
    throw error;
  }
}

/** What the rules of `auto` look at: the words of the conversation. */
function plainMessages(prompt: LanguageModelV4Prompt): ChatMessage[] {
  return prompt.flatMap(({ role, content }): ChatMessage[] => {
    if (role === "tool") return [];
    const text =
      typeof content === "string" ? content : content.map((part) => (part.type === "text" ? part.text : "")).join("");
    return [{ role, content: text }];
  });
}
