import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import type { TokenPrice } from "../ledger/money.ts";
import { EXTRACTIVE, extractive } from "./extractive.ts";
import { maxOutput } from "./limits.ts";
import { Markups } from "./markups.ts";
import { type PassTarget, passTarget } from "./pass_target.ts";
import { type Patience, readTimeout } from "./patience.ts";
import { type FoundPrice, findPrice, type PriceEntry, priceBook } from "./prices.ts";
import { hostedModel } from "./providers/hosted_model.ts";
import { languageModel } from "./providers/language_model.ts";
import { type Provider, type ProviderKind, type Providers, readPrices, readProviders } from "./providers.ts";
import { type Offer, planRoute } from "./routing/route.ts";
import { readRoutes } from "./routing/setting.ts";
import { familiesOf } from "./routing/tiers.ts";
import { boundTokens } from "./tokens.ts";
import type { ChatModel, ModelInfo, Models, Route, RouteAsk, WorkPrice } from "./types.ts";

/** Window assumed of a model nothing is known of: small enough for a local server's default. */
const UNKNOWN_CONTEXT = 8192;

const DAY_MS = 86_400_000;
/** Names that are kept with what they were found to be, as each call asks twice; a caller may name as much as a body holds. */
const RESOLVED_KEPT = 1_000;
const LONGEST_KEPT = 200;

/** Providers whose every booked model can be had with a key; on Azure it is those that somebody deployed. */
const OFFERED = ["openai", "anthropic", "workers-ai"];

const cache = new WeakMap<Env, Models>();

/**
 * The models this deployment offers, from its settings; built once per environment.
 * @throws WaypostError `not_configured`, naming the setting that is wrong
 */
export function createModels(env: Env): Models {
  let models = cache.get(env);
  if (!models) {
    models = new Catalogue(env);
    cache.set(env, models);
  }
  return models;
}

class Catalogue implements Models {
  readonly #providers: Provider[];
  readonly #missing: Providers["missing"];
  readonly #prices: Map<string, TokenPrice>;
  readonly #markups: Markups;
  readonly #patience: Patience;
  readonly #defaultModel: string | undefined;
  readonly #offer: Offer;
  /** What names were found to be, on the day given: prices change with the day. */
  readonly #resolved = new Map<string, { model: ChatModel; why: string }>();
  #day = 0;

  constructor(env: Env) {
    const { offered, missing } = readProviders(env);
    this.#providers = offered;
    this.#missing = missing;
    this.#prices = readPrices(env);
    this.#markups = new Markups(env);
    this.#patience = readTimeout(env);
    this.#defaultModel = env.DEFAULT_MODEL || undefined;
    this.#offer = {
      resolve: (name) => this.resolve(name).model,
      providers: () => this.#providers.map((provider) => ({ id: provider.id, models: this.#unasked(provider) })),
      defaultModel: this.#defaultModel,
      routes: readRoutes(env),
    };
  }

  readonly boundTokens = boundTokens;

  resolve(name: string): { model: ChatModel; why: string } {
    if (name.length > LONGEST_KEPT) return this.#resolve(name);
    const day = Math.floor(Date.now() / DAY_MS);
    if (day !== this.#day || this.#resolved.size >= RESOLVED_KEPT) this.#resolved.clear();
    this.#day = day;
    let found = this.#resolved.get(name);
    if (!found) {
      found = this.#resolve(name);
      this.#resolved.set(name, found);
    }
    return found;
  }

  #resolve(name: string): { model: ChatModel; why: string } {
    if (name === "auto") return this.#auto();
    if (name === EXTRACTIVE.id) return { model: extractive, why: "asked for by name" };
    const { provider, modelName } = this.#locate(name);
    const info = this.#describe(provider, modelName);
    if (!info) {
      throw new WaypostError("model_unpriced", `No price is known for ${provider.id}/${modelName}.`);
    }
    return { model: hostedModel(info, provider, this.#patience), why: "asked for by name" };
  }

  route(name: string, ask: RouteAsk): Route {
    return planRoute(this.#offer, name, ask);
  }

  async languageModel(info: ModelInfo): Promise<LanguageModelV4> {
    const provider = this.#providerOf(info);
    if (!provider) {
      const here = this.#examples().join(", ") || "nothing, since no provider is configured";
      const detail = `${info.id} is only offered by the chat tool, POST /v1/chat. Offered here: ${here}.`;
      throw new WaypostError("model_unknown", detail);
    }
    return await languageModel(info, provider, this.#patience);
  }

  passThrough(info: ModelInfo): PassTarget | undefined {
    const provider = this.#providerOf(info);
    return provider && passTarget(info, provider, this.#patience);
  }

  embedding(name: string): { info: ModelInfo; target: PassTarget } {
    const { provider, modelName } = this.#locate(name, "embeds");
    const info = this.#describe(provider, modelName, "embeds");
    if (!info)
      throw new WaypostError("model_unpriced", `No price for embeddings is known for ${provider.id}/${modelName}.`);
    const target = passTarget(info, provider, this.#patience);
    if (target.url("/embeddings")) return { info, target };
    throw new WaypostError("model_unknown", `Provider ${provider.id} has no embeddings.`);
  }

  #providerOf(info: ModelInfo): Provider | undefined {
    return this.#providers.find(({ id }) => id === info.provider);
  }

  list(): ReturnType<Models["list"]> {
    const unavailable = [...this.#missing];
    const models: ModelInfo[] = [];
    const embeddings: ModelInfo[] = [];
    for (const provider of this.#providers) {
      const names = this.#knownNames(provider);
      embeddings.push(...this.#knownEmbeddings(provider));
      if (names.length === 0)
        unavailable.push({ provider: provider.id, why: "its models are not known here; ask for one by name" });
      for (const name of names) {
        if (bookedPrice(provider, name, "embeds")) continue;
        const info = this.#describe(provider, name);
        if (info) models.push(info);
        else unavailable.push({ provider: provider.id, why: `${provider.id}/${name} has no price in MODEL_PRICES` });
      }
    }
    return { models: [...models, EXTRACTIVE], embeddings, unavailable };
  }

  priceOf(provider: string, name: string, at?: number): WorkPrice | undefined {
    const id = `${provider}/${name}`;
    const known = this.#providers.find((each) => each.id === provider);
    const model = known ? modelOf(known, name) : name;
    const booked = findPrice(provider, model, at)?.price;
    const local = known !== undefined && isOwn(known, booked !== undefined);
    const free = local ? { input: 0, output: 0 } : undefined;
    const price = this.#prices.get(id) ?? free ?? booked;
    const priceClass = local ? "local" : "cloud";
    return price && { price, priceClass, ...this.#markups.of(priceClass, id) };
  }

  #auto(): { model: ChatModel; why: string } {
    if (this.#defaultModel && this.#defaultModel !== "auto") {
      return { model: this.resolve(this.#defaultModel).model, why: "auto: DEFAULT_MODEL" };
    }
    for (const provider of this.#providers) {
      const info = provider.preferred ? this.#describe(provider, provider.preferred) : undefined;
      if (info) {
        const model = hostedModel(info, provider, this.#patience);
        return { model, why: `auto: smallest known model of ${provider.id}, the first configured provider` };
      }
    }
    const why =
      this.#providers.length > 0
        ? "auto: DEFAULT_MODEL is not set and no configured provider says which models it has"
        : "auto: no provider is configured";
    return { model: extractive, why };
  }

  /** Models that `auto` may take: those that were declared, or the families that routing knows of a hosted provider. */
  #unasked(provider: Provider): ModelInfo[] {
    const declared = provider.models.map(({ name }) => name);
    const names = declared.length > 0 || !provider.preferred ? declared : familiesOf(provider.id, provider.preferred);
    return names.flatMap((name) => this.#describe(provider, name) ?? []);
  }

  /** Splits `<provider>/<name>`, or finds the provider that knows a bare name. */
  #locate(name: string, use: Use = "chat"): { provider: Provider; modelName: string } {
    const slash = name.indexOf("/");
    const named = this.#providers.find((provider) => slash > 0 && provider.id === name.slice(0, slash));
    const rest = name.slice(slash + 1);
    if (named && rest && (named.kind !== "azure" || this.#knows(named, rest, use))) {
      return { provider: named, modelName: rest };
    }
    const knows = this.#providers.find((provider) => this.#knows(provider, name, use));
    if (knows) return { provider: knows, modelName: name };
    const asked = name.length > 80 ? `${name.slice(0, 80)}…` : name;
    throw new WaypostError("model_unknown", `"${asked}" is not offered here${this.#insteadFor(use)}`);
  }

  /** Azure has only what somebody deployed. */
  #knows(provider: Provider, name: string, use: Use): boolean {
    if (provider.models.some((model) => model.name === name)) return true;
    if (provider.kind === "azure") return false;
    return this.#prices.has(`${provider.id}/${name}`) || bookedPrice(provider, name, use) !== undefined;
  }

  #insteadFor(use: Use): string {
    const examples = this.#examples(use);
    if (use === "embeds") return ` for embeddings. Offered: ${examples.join(", ") || "none"}.`;
    const all = ["auto", EXTRACTIVE.id, ...examples].join(", ");
    return `. Offered: ${all}; ${EXTRACTIVE.id} by the chat tool only.`;
  }

  /** A model of each provider that has one. */
  #examples(use: Use = "chat"): string[] {
    return this.#providers.flatMap((provider) => {
      if (use === "embeds") return this.#knownEmbeddings(provider)[0]?.id ?? [];
      const example = provider.preferred ?? provider.models[0]?.name;
      return example ? `${provider.id}/${example}` : `${provider.id}/<model>`;
    });
  }

  #knownNames(provider: Provider): string[] {
    if (provider.models.length > 0) return provider.models.map((model) => model.name);
    const entries = bookOf(provider).filter((entry) => entry.chat !== false);
    return entries.map((entry) => entry.id).filter((id) => !/[:]|ft-$/.test(id));
  }

  #knownEmbeddings(provider: Provider): ModelInfo[] {
    const declared = provider.models.map(({ name }) => name).filter((name) => bookedPrice(provider, name, "embeds"));
    const booked = bookOf(provider).flatMap(({ id, embeds }) => (embeds ? [id] : []));
    const names = provider.models.length > 0 ? declared : booked;
    return names.flatMap((name) => this.#describe(provider, name, "embeds") ?? []);
  }

  /** Undefined when no price is known: such a model is refused, never free. */
  #describe(provider: Provider, name: string, use: Use = "chat"): ModelInfo | undefined {
    const id = `${provider.id}/${name}`;
    const declared = provider.models.find((model) => model.name === name);
    const booked = bookedPrice(provider, name, use);
    const local = isOwn(provider, booked !== undefined);
    const free = local ? { input: 0, output: 0 } : undefined;
    const price = this.#prices.get(id) ?? (provider.local ? free : (booked?.price ?? free));
    if (!price) return undefined;
    const contextTokens = declared?.context ?? booked?.contextTokens ?? UNKNOWN_CONTEXT;
    const priceClass = local ? "local" : "cloud";
    const model = modelOf(provider, name);
    const ceiling = use === "embeds" ? 0 : (declared?.max_output ?? maxOutput(provider.kind, model));
    return {
      id,
      provider: provider.id,
      name,
      model,
      priceClass,
      ...this.#markups.of(priceClass, id),
      price,
      contextTokens,
      maxOutputTokens: Math.min(ceiling, contextTokens),
      needsPassages: false,
    };
  }
}

/** Providers that charge whoever's key it is, wherever the request goes on its way to them. */
const CHARGING: readonly ProviderKind[] = ["openai", "anthropic", "azure"];

/** Whether what answers there is the operator's own, so that it costs nothing: said so, or on a private host and nobody's product. */
function isOwn({ local, privateHost, kind, apiKey }: Provider, booked: boolean): boolean {
  return local ?? (privateHost && !booked && !(apiKey && CHARGING.includes(kind)));
}

/** The price book of a provider whose every booked model can be had. */
function bookOf({ id, kind, apiKey }: Provider): PriceEntry[] {
  const all = kind === "workers-ai" || (apiKey && OFFERED.includes(id));
  return all ? (priceBook.providers[id] ?? []) : [];
}

/** What a model is wanted for. */
type Use = "chat" | "embeds";

/** What a model is: its name, unless that is only the operator's word for it. */
const modelOf = (provider: Provider, name: string): string =>
  provider.models.find((each) => each.name === name)?.model ?? name;

/** The booked price of a model that can be used so: by chat completions, messages, or embeddings. */
function bookedPrice(provider: Provider, name: string, use: Use): FoundPrice | undefined {
  const found = findPrice(provider.id, modelOf(provider, name));
  const fits = use === "embeds" ? found?.embeds : found?.chat !== false;
  return fits ? found : undefined;
}
