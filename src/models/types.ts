import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { PriceClass, TokenPrice, TokenUsage } from "../ledger/money.ts";
import type { PassTarget } from "./pass_target.ts";
import type { Need } from "./routing/needs.ts";

export interface ChatMessage {
  role: "system" | "user" | "assistant";
  content: string;
}

/** A retrieved passage the answer may cite. `n` is its number in the prompt and in the answer: [1], [2], … */
export interface Passage {
  n: number;
  id: string;
  title: string;
  url: string;
  text: string;
}

export interface ModelRequest {
  messages: ChatMessage[];
  /** Numbered from 1. Empty: answer without grounding. */
  passages: Passage[];
  maxOutputTokens: number;
  temperature?: number;
  /** Somebody reads along, so deltas are wanted as they come; otherwise the answer may come as one. */
  streamed?: boolean;
  signal: AbortSignal;
}

export type FinishReason = "stop" | "length" | "content_filter" | "tool_calls" | "other";

export type ModelEvent =
  | { type: "delta"; text: string }
  /** Always the last event. `estimated`: the provider sent no usage, so the tokens were counted here. */
  | { type: "finish"; reason: FinishReason; usage: TokenUsage; estimated: boolean };

/** What a model's tokens cost here. */
export interface WorkPrice {
  price: TokenPrice;
  /** Markup class: where the work happens. */
  priceClass: PriceClass;
  markupBps: number;
  /** Markup of accounts on these plans, in place of `markupBps`. */
  planMarkups?: Record<string, number>;
}

export interface ModelInfo extends WorkPrice {
  /** `<provider>/<name>`, e.g. `openai/gpt-4o-mini`, `local/extractive`. */
  id: string;
  provider: string;
  /** The name the provider knows it by. */
  name: string;
  /** What it is, by which its family is known: on Azure the model that was deployed, everywhere else its name. */
  model: string;
  contextTokens: number;
  maxOutputTokens: number;
  /** True when the model can only answer from passages, so chat always retrieves for it. */
  needsPassages: boolean;
}

/** A model that was found and has a price. */
export interface ChatModel {
  info: ModelInfo;
  /**
   * Streams one answer.
   * @throws WaypostError `provider_*` — before the first event when nothing was produced; a stream that breaks later ends
   *   with a thrown error whose `extras.usage` carries the TokenUsage of what was produced (estimated)
   */
  stream(request: ModelRequest): AsyncIterable<ModelEvent>;
}

/** A model that `auto` takes before its rules: a name, a list of names, or a kind of `auto`. */
export interface Preference {
  model: string;
  of: "session" | "account";
}

/** What a route is chosen by. */
export interface RouteAsk {
  messages: readonly ChatMessage[];
  /** The answer is to come from passages. */
  grounded: boolean;
  /** Tried in this order before the rules of `auto`; what is not offered is passed over, and the route's `why` says so. */
  preferred?: readonly Preference[];
  /** Models that are known to lack it are passed over by `auto`. */
  needs?: readonly Need[];
}

/** Models to ask, one after the other until one answers. */
export interface Route {
  /** The choice first, then its fallbacks; never empty. */
  models: ChatModel[];
  /** How the choice was made, for the answer. */
  why: string;
}

export interface Models {
  /**
   * Chooses by name: a model (`<provider>/<name>` or a bare name), `auto`, or `auto:quick|general|code|hard`.
   * @throws WaypostError `model_unknown`, `model_unpriced`
   */
  route(name: string, ask: RouteAsk): Route;
  /**
   * A model as the AI SDK speaks to it, for prompts with tools, images and files. It asks the provider once: retries and
   * fallbacks are the caller's. Errors are the catalogue's `provider_*`.
   */
  languageModel(info: ModelInfo): Promise<LanguageModelV4>;
  /** Where requests in the provider's own dialects are sent; undefined for a model that runs here. */
  passThrough(info: ModelInfo): PassTarget | undefined;
  /**
   * Finds an embedding model by name (`<provider>/<name>` or a bare name).
   * @throws WaypostError `model_unknown`, `model_unpriced`
   */
  embedding(name: string): { info: ModelInfo; target: PassTarget };
  /**
   * Finds a model by name. `auto` takes the configured default, or `local/extractive` when no provider is configured.
   * @throws WaypostError `model_unknown`, `model_unpriced`
   */
  resolve(name: string): { model: ChatModel; why: string };
  /** What is offered, and for each provider that is not, why. */
  list(): { models: ModelInfo[]; embeddings: ModelInfo[]; unavailable: { provider: string; why: string }[] };
  /**
   * The price, at a time (ms since the epoch; default now), of a model that need not be offered here nor be for chat:
   * for usage that happened elsewhere. Undefined when no price is known.
   */
  priceOf(provider: string, name: string, at?: number): WorkPrice | undefined;
  /** Upper bound of the tokens a text can take, cheap to compute: never below what a provider would count. */
  boundTokens(messages: readonly ChatMessage[]): number;
}
