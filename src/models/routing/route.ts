import { WaypostError } from "../../errors.ts";
import { EXTRACTIVE, extractive } from "../extractive.ts";
import { estimatePrompt } from "../tokens.ts";
import type { ChatModel, ModelInfo, Route, RouteAsk } from "../types.ts";
import { lacking } from "./needs.ts";
import { classify } from "./rules.ts";
import type { Routes } from "./setting.ts";
import { costOf, NEIGHBOURS, serving, TIERS, type Tier } from "./tiers.ts";

/** What routes are made of: the catalogue as the router sees it. */
export interface Offer {
  /** @throws WaypostError `model_unknown`, `model_unpriced` */
  resolve(name: string): ChatModel;
  /** Models that may be taken unasked, by provider, in the order in which providers are asked. */
  providers(): readonly { id: string; models: readonly ModelInfo[] }[];
  defaultModel: string | undefined;
  routes: Routes;
}

/** Models in a route, the choice included. */
const MOST_MODELS = 3;
/** A fallback nobody named costs at most so many times the choice; so none of a free model costs anything. */
const DEAREST = 10;
/** Room for an answer, as far as the model can write so much. */
const ANSWER_TOKENS = 4096;
/** Shorter prompts fit any model. */
const SHORT_CHARS = 2000;

/** @throws WaypostError `model_unknown`, `model_unpriced`, `not_configured` */
export function planRoute(offer: Offer, name: string, ask: RouteAsk): Route {
  if (name === "auto") return automatic(offer, ask);
  const tier = TIERS.find((each) => name === `auto:${each}`);
  if (tier) return byTier(offer, tier, "asked for", ask);
  const models = name.includes(",") ? listed(offer, name) : withFallbacks(offer, offer.resolve(name));
  return { models, why: "asked for by name" };
}

/** `a, b`: the caller's own fallbacks. */
function listed(offer: Offer, names: string): ChatModel[] {
  const models = names.split(",").map((name) => offer.resolve(name.trim()));
  if (models.length > MOST_MODELS) {
    throw new WaypostError("model_unknown", `${models.length} models were named; at most ${MOST_MODELS} are tried.`);
  }
  return distinct(models);
}

function automatic(offer: Offer, ask: RouteAsk): Route {
  const { preferred = [], ...rest } = ask;
  const passedOver: string[] = [];
  const explained = (why: string) => [why, ...passedOver].join("; ");
  for (const { model, of } of preferred) {
    // Who prefers `auto` leaves it to whoever is asked next.
    if (model === "auto") continue;
    try {
      const { models } = planRoute(offer, model, rest);
      const lacks = missing(models, ask);
      if (lacks) {
        passedOver.push(`the ${of}'s preference, ${model}, lacks ${lacks}`);
        continue;
      }
      return { models: backedUp(offer, models, ask), why: explained(`auto: the ${of}'s preference`) };
    } catch (error) {
      if (!(error instanceof WaypostError)) throw error;
      passedOver.push(`the ${of}'s preference, ${model}, is not offered`);
    }
  }
  const { models, why } = unasked(offer, rest);
  return { models, why: explained(why) };
}

function unasked(offer: Offer, ask: RouteAsk): Route {
  const { defaultModel } = offer;
  if (!defaultModel || defaultModel === "auto") {
    const { tier, because } = classify(ask);
    return byTier(offer, tier, because, ask);
  }
  const { models } = planRoute(offer, defaultModel, ask);
  const lacks = missing(models, ask);
  if (lacks) {
    const { tier, because } = classify(ask);
    return byTier(offer, tier, `${because}; DEFAULT_MODEL, ${defaultModel}, lacks ${lacks}`, ask);
  }
  return { models: backedUp(offer, models, ask), why: "auto: DEFAULT_MODEL" };
}

/** What the first of the models is known to lack of what the request needs; "" = nothing. */
const missing = ([first]: readonly ChatModel[], { needs }: RouteAsk): string =>
  first ? lacking(first.info, needs).join(" and ") : "";

/** A model nobody named for this call may be stood in for by what the rules would take. */
function backedUp(offer: Offer, models: ChatModel[], ask: RouteAsk): ChatModel[] {
  const first = models[0];
  if (models.length > 1 || !first || first.info.needsPassages) return models;
  return limited([first, ...ofTier(offer, "general", ask)]);
}

function byTier(offer: Offer, tier: Tier, because: string, ask: RouteAsk): Route {
  const stated = offer.routes.tiers[tier];
  const models = stated
    ? able(
        stated.map((name) => configured(offer, tier, name)),
        ask,
      )
    : ofTier(offer, tier, ask);
  const why = `auto: ${tier} (${because})`;
  if (stated) return { models: distinct(models), why };
  if (models.length > 0) return { models: limited(models), why };
  const { defaultModel } = offer;
  if (defaultModel && !defaultModel.startsWith("auto")) {
    return {
      models: [offer.resolve(defaultModel)],
      why: "auto: DEFAULT_MODEL, as no provider says which models it has",
    };
  }
  return { models: [extractive], why: "auto: no provider is configured that says which models it has" };
}

/** Those that lack nothing the request needs; all, where every one lacks something. */
function able(models: ChatModel[], { needs }: RouteAsk): ChatModel[] {
  const those = models.filter(({ info }) => lacking(info, needs).length === 0);
  return those.length > 0 ? those : models;
}

/**
 * Models that may serve a tier: its own of every provider, then those of its neighbours. Left out are those that are too
 * small for the prompt, or lack what it needs, as long as others are left.
 */
function ofTier(offer: Offer, tier: Tier, { messages, needs }: RouteAsk): ChatModel[] {
  const chars = messages.reduce((sum, { content }) => sum + content.length, 0);
  const needed = chars > SHORT_CHARS ? estimatePrompt(messages) : 0;
  const providers = offer.providers();
  const among = (takes: (info: ModelInfo) => boolean): ModelInfo[] =>
    [tier, ...NEIGHBOURS[tier]].flatMap((each) =>
      providers.flatMap(({ id, models }) => serving(each, id, models.filter(takes))),
    );
  const serves = (info: ModelInfo): boolean => lacking(info, needs).length === 0;
  const choices = [(info: ModelInfo) => fits(info, needed) && serves(info), serves, () => true];
  const found = choices.map(among).find((models) => models.length > 0) ?? [];
  return found.map(({ id }) => offer.resolve(id));
}

const fits = ({ contextTokens, maxOutputTokens }: ModelInfo, needed: number): boolean =>
  needed + Math.min(ANSWER_TOKENS, maxOutputTokens, contextTokens / 2) <= contextTokens;

function withFallbacks(offer: Offer, model: ChatModel): ChatModel[] {
  const { id } = model.info;
  const names = offer.routes.fallbacks[id];
  return names ? distinct([model, ...names.map((name) => configured(offer, `fallbacks.${id}`, name))]) : [model];
}

function configured(offer: Offer, where: string, name: string): ChatModel {
  try {
    return offer.resolve(name);
  } catch (error) {
    if (!(error instanceof WaypostError)) throw error;
    throw new WaypostError("not_configured", `ROUTES: ${where}: ${error.detail}`);
  }
}

function limited(models: ChatModel[]): ChatModel[] {
  const [first] = models;
  if (!first) return models;
  const most = DEAREST * costOf(first.info);
  return distinct(models.filter(({ info }) => costOf(info) <= most && info.id !== EXTRACTIVE.id)).slice(0, MOST_MODELS);
}

const distinct = (models: ChatModel[]): ChatModel[] =>
  models.filter(({ info }, i) => models.findIndex((other) => other.info.id === info.id) === i);
