import type { LanguageModelV4 } from "@ai-sdk/provider";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import type { TokenPrice } from "../ledger/money.ts";
import { EXTRACTIVE, extractive } from "./extractive.ts";
import { maxOutput } from "./limits.ts";
import { Markups } from "./markups.ts";
import { openAICompatible } from "./openai_compatible.ts";
import { type FoundPrice, findPrice, priceBook } from "./prices.ts";
import { type Patience, type Provider, readPrices, readProviders, readTimeout } from "./providers.ts";
import { boundTokens } from "./tokens.ts";
import type { ChatModel, ModelInfo, Models, Route, WorkPrice } from "./types.ts";

/** Window assumed of a model nothing is known of: small enough for a local server's default. */
const UNKNOWN_CONTEXT = 8192;

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
  readonly #prices: Map<string, TokenPrice>;
  readonly #markups: Markups;
  readonly #patience: Patience;
  readonly #defaultModel: string | undefined;

  constructor(env: Env) {
    this.#providers = readProviders(env);
    this.#prices = readPrices(env);
    this.#markups = new Markups(env);
    this.#patience = readTimeout(env);
    this.#defaultModel = env.DEFAULT_MODEL || undefined;
  }

  readonly boundTokens = boundTokens;

  resolve(name: string): { model: ChatModel; why: string } {
    if (name === "auto") return this.#auto();
    if (name === EXTRACTIVE.id) return { model: extractive, why: "asked for by name" };
    const { provider, modelName } = this.#locate(name);
    const info = this.#describe(provider, modelName);
    if (!info) {
      throw new WaypostError("model_unpriced", `No price is known for ${provider.id}/${modelName}.`);
    }
    return { model: openAICompatible(info, provider, this.#patience), why: "asked for by name" };
  }

  route(name: string): Route {
    const { model, why } = this.resolve(name);
    return { models: [model], why };
  }

  async languageModel({ id }: ModelInfo): Promise<LanguageModelV4> {
    throw new WaypostError("model_unknown", `${id} is not offered through this path.`);
  }

  list(): ReturnType<Models["list"]> {
    const unavailable: { provider: string; why: string }[] = [];
    const models: ModelInfo[] = [];
    for (const [id, setting] of [
      ["openai", "OPENAI_API_KEY"],
      ["anthropic", "ANTHROPIC_API_KEY"],
      ["ollama", "OLLAMA_HOST"],
    ] as const) {
      if (!this.#providers.some((provider) => provider.id === id)) {
        unavailable.push({ provider: id, why: `${setting} is not set` });
      }
    }
    for (const provider of this.#providers) {
      const names = this.#knownNames(provider);
      if (names.length === 0)
        unavailable.push({ provider: provider.id, why: "its models are not known here; ask for one by name" });
      for (const name of names) {
        const info = this.#describe(provider, name);
        if (info) models.push(info);
        else unavailable.push({ provider: provider.id, why: `${provider.id}/${name} has no price in MODEL_PRICES` });
      }
    }
    return { models: [...models, EXTRACTIVE], unavailable };
  }

  priceOf(provider: string, name: string, at?: number): WorkPrice | undefined {
    const id = `${provider}/${name}`;
    const local = this.#providers.some((known) => known.id === provider && known.local);
    const free = local ? { input: 0, output: 0 } : undefined;
    const price = this.#prices.get(id) ?? free ?? findPrice(provider, name, at)?.price;
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
        const model = openAICompatible(info, provider, this.#patience);
        return { model, why: `auto: smallest known model of ${provider.id}, the first configured provider` };
      }
    }
    const why =
      this.#providers.length > 0
        ? "auto: DEFAULT_MODEL is not set and no configured provider says which models it has"
        : "auto: no provider is configured";
    return { model: extractive, why };
  }

  /** Splits `<provider>/<name>`, or finds the provider that knows a bare name. */
  #locate(name: string): { provider: Provider; modelName: string } {
    const slash = name.indexOf("/");
    const named = this.#providers.find((provider) => slash > 0 && provider.id === name.slice(0, slash));
    if (named && slash + 1 < name.length) return { provider: named, modelName: name.slice(slash + 1) };
    const knows = this.#providers.find((provider) => this.#knows(provider, name));
    if (knows) return { provider: knows, modelName: name };
    const asked = name.length > 80 ? `${name.slice(0, 80)}…` : name;
    throw new WaypostError("model_unknown", `"${asked}" is not offered here. Offered: ${this.#offered()}.`);
  }

  #knows(provider: Provider, name: string): boolean {
    return (
      provider.models.some((model) => model.name === name) ||
      this.#prices.has(`${provider.id}/${name}`) ||
      chatPrice(provider.id, name) !== undefined
    );
  }

  #offered(): string {
    const each = this.#providers.map((provider) => {
      const example = provider.preferred ?? provider.models[0]?.name;
      return example ? `${provider.id}/${example}` : `${provider.id}/<model>`;
    });
    return ["auto", EXTRACTIVE.id, ...each].join(", ");
  }

  #knownNames(provider: Provider): string[] {
    if (provider.models.length > 0) return provider.models.map((model) => model.name);
    if (!provider.apiKey || !OFFERED.includes(provider.id)) return [];
    const entries = (priceBook.providers[provider.id] ?? []).filter((entry) => entry.chat !== false);
    return entries.map((entry) => entry.id).filter((id) => !/[:]|ft-$/.test(id));
  }

  /** Undefined when no price is known: such a model is refused, never free. */
  #describe(provider: Provider, name: string): ModelInfo | undefined {
    const id = `${provider.id}/${name}`;
    const booked = chatPrice(provider.id, name);
    const local = provider.local ?? (provider.privateHost && !booked);
    const free = local ? { input: 0, output: 0 } : undefined;
    const price = this.#prices.get(id) ?? (provider.local ? free : (booked?.price ?? free));
    if (!price) return undefined;
    const declared = provider.models.find((model) => model.name === name);
    const contextTokens = declared?.context ?? booked?.contextTokens ?? UNKNOWN_CONTEXT;
    const priceClass = local ? "local" : "cloud";
    return {
      id,
      provider: provider.id,
      name,
      priceClass,
      ...this.#markups.of(priceClass, id),
      price,
      contextTokens,
      maxOutputTokens: Math.min(declared?.max_output ?? maxOutput(provider.id, name), contextTokens),
      needsPassages: false,
    };
  }
}

/** The booked price of a model that is reached through chat completions. */
function chatPrice(provider: string, name: string): FoundPrice | undefined {
  const found = findPrice(provider, name);
  return found?.chat === false ? undefined : found;
}
