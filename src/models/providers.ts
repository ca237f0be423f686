import * as z from "zod";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import type { TokenPrice } from "../ledger/money.ts";
import { expectHeaderValue } from "../net/header_value.ts";
import { networkOf } from "../net/network.ts";
import { jsonSetting } from "./json_setting.ts";
import { PriceList, statedPrices } from "./price_setting.ts";
import { readAzure } from "./providers/azure.ts";
import { type BaseUrl, parseBaseUrl } from "./providers/base_url.ts";
import { type Gateway, gatewayHeaders, readGateway } from "./providers/gateway.ts";
import { readOllama } from "./providers/ollama.ts";
import { WORKERS_AI_URL, workersAiFetch } from "./providers/workers_ai.ts";

/** Whose API it speaks. */
export type ProviderKind = "openai" | "anthropic" | "azure" | "workers-ai" | "ollama" | "compatible";

/** Where models are, as the settings describe it. */
export interface Provider extends BaseUrl {
  id: string;
  kind: ProviderKind;
  apiKey?: string;
  /** Set: the operator says whether it runs on their own machines. Absent: told from the URL and the model's name. */
  local?: boolean;
  /** `model`: what it is, where its name is only the operator's word for it. */
  models: { name: string; model?: string; context?: number; max_output?: number }[];
  /** What `auto` takes here. */
  preferred?: string;
  /** What every request carries. */
  headers: Record<string, string>;
  /** Sends a request: over the network, or to a binding that answers as the network would. */
  fetch: typeof fetch;
}

export interface Providers {
  /** In the order in which `auto` asks them. */
  offered: Provider[];
  /** Built-in providers that are not offered, and why. */
  missing: { provider: string; why: string }[];
}

const OPENAI_URL = "https://api.openai.com/v1";
const ANTHROPIC_URL = "https://api.anthropic.com/v1";
/** Version of the Messages API. */
const ANTHROPIC_VERSION = "2023-06-01";
/** Where each kind's key is set. */
const KEY_SETTINGS: Record<ProviderKind, string> = {
  openai: "OPENAI_API_KEY",
  anthropic: "ANTHROPIC_API_KEY",
  azure: "AZURE_OPENAI_API_KEY",
  "workers-ai": "AI",
  ollama: "OLLAMA_HOST",
  compatible: "MODEL_PROVIDERS",
};
const PREFERRED = {
  openai: "gpt-4o-mini",
  anthropic: "claude-haiku-4-5",
  "workers-ai": "@cf/meta/llama-3.1-8b-instruct-fp8-fast",
} as const;

const ProviderList = z.array(
  z.strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,31}$/),
    base_url: z.string(),
    api_key: z.string().optional(),
    local: z.boolean().optional(),
    models: z
      .array(
        z.strictObject({
          name: z.string().min(1).max(200),
          context: z.int().min(256).max(100_000_000).optional(),
          max_output: z.int().min(1).max(10_000_000).optional(),
        }),
      )
      .default([]),
  }),
);

/** @throws WaypostError `not_configured`, naming the setting that is wrong */
export function readProviders(env: Env): Providers {
  const way: Way = { gateway: readGateway(env), send: networkOf(env) };
  const builtIn: [id: ProviderKind, found: Provider | string][] = [
    ["openai", readOpenAI(env, way)],
    ["anthropic", readAnthropic(env, way)],
    ["azure", complete("azure", readAzure(env), way)],
    ["workers-ai", readWorkersAI(env, way)],
    ["ollama", complete("ollama", readOllama(env), way)],
  ];
  const found = new Map(builtIn.flatMap(([id, provider]) => (typeof provider === "string" ? [] : [[id, provider]])));
  const custom = readCustom(env, way);
  for (const [i, { id }] of custom.entries()) {
    const taken = id === "local" || id === "ollama" || found.has(id as ProviderKind);
    if (taken || custom.findIndex((other) => other.id === id) !== i) {
      throw new WaypostError("not_configured", `MODEL_PROVIDERS: the id "${id}" is taken`);
    }
  }
  const named = (id: ProviderKind): Provider[] => [found.get(id)].filter((provider) => provider !== undefined);
  // What the operator pays for and named goes first, then what comes with the platform or the machine.
  const offered = [
    ...(["openai", "anthropic", "azure"] as const).flatMap(named),
    ...custom,
    ...(["workers-ai", "ollama"] as const).flatMap(named),
  ];
  const missing = builtIn.flatMap(([provider, why]) =>
    typeof why === "string" && !offered.some(({ id }) => id === provider) ? [{ provider, why }] : [],
  );
  return { offered, missing };
}

/** What lies between here and a provider. */
interface Way {
  gateway: Gateway | undefined;
  send: typeof fetch;
}

type Found = Pick<Provider, "baseUrl" | "privateHost" | "models"> & Partial<Provider>;

/** Adds what follows from the kind; a reason stays a reason. */
function complete(kind: ProviderKind, found: Found | string, { gateway, send }: Way): Provider | string {
  if (typeof found === "string") return found;
  expectHeaderValue(found.apiKey, KEY_SETTINGS[kind]);
  return {
    id: kind,
    kind,
    fetch: send,
    ...(kind === "ollama" ? { local: true } : {}),
    preferred: found.models[0]?.name,
    ...found,
    headers: {
      "Content-Type": "application/json",
      ...keyHeaders(kind, found.apiKey),
      ...gatewayHeaders(gateway, found.baseUrl),
    },
  };
}

function keyHeaders(kind: ProviderKind, apiKey: string | undefined): Record<string, string> {
  if (kind === "anthropic") {
    return { "anthropic-version": ANTHROPIC_VERSION, ...(apiKey ? { "x-api-key": apiKey } : {}) };
  }
  if (!apiKey) return {};
  return kind === "azure" ? { "api-key": apiKey } : { Authorization: `Bearer ${apiKey}` };
}

function readOpenAI(env: Env, way: Way): Provider | string {
  const { OPENAI_API_KEY: apiKey, OPENAI_BASE_URL: own } = env;
  if (!apiKey && !own) return "OPENAI_API_KEY is not set";
  const url = parseBaseUrl(own || (way.gateway ? `${way.gateway.url}/openai` : OPENAI_URL), "OPENAI_BASE_URL");
  // Without a key it is somebody's own server: which models it has is theirs to say in DEFAULT_MODEL.
  const preferred = apiKey ? PREFERRED.openai : undefined;
  return complete("openai", { ...url, apiKey, models: [], preferred }, way);
}

function readAnthropic(env: Env, way: Way): Provider | string {
  const { ANTHROPIC_API_KEY: apiKey, ANTHROPIC_BASE_URL: own } = env;
  if (!apiKey && !own) return "ANTHROPIC_API_KEY is not set";
  const stated = own || (way.gateway ? `${way.gateway.url}/anthropic` : ANTHROPIC_URL);
  const { baseUrl, privateHost } = parseBaseUrl(stated, "ANTHROPIC_BASE_URL");
  // Anthropic's own programs are given the address without its version.
  const versioned = /\/v1$/.test(baseUrl) ? baseUrl : `${baseUrl}/v1`;
  const preferred = apiKey ? PREFERRED.anthropic : undefined;
  return complete("anthropic", { baseUrl: versioned, privateHost, apiKey, models: [], preferred }, way);
}

function readWorkersAI(env: Env, way: Way): Provider | string {
  if (!env.AI) return "there is no AI binding here: it comes with a deployment on Cloudflare";
  const found: Found = { baseUrl: WORKERS_AI_URL, privateHost: false, models: [], preferred: PREFERRED["workers-ai"] };
  const provider = complete("workers-ai", found, { ...way, gateway: undefined });
  return typeof provider === "string" ? provider : { ...provider, fetch: workersAiFetch(env.AI, way.gateway?.id) };
}

function readCustom(env: Env, way: Way): Provider[] {
  const list = jsonSetting(env, "MODEL_PROVIDERS", ProviderList) ?? [];
  return list.flatMap(({ id, base_url, api_key, local, models }) => {
    const url = parseBaseUrl(base_url, "MODEL_PROVIDERS");
    const provider = complete("compatible", { id, ...url, apiKey: api_key, local, models }, way);
    return typeof provider === "string" ? [] : [provider];
  });
}

/**
 * Prices the operator set, by model id, in pico-USD per token.
 * @throws WaypostError `not_configured` when MODEL_PRICES is not what it should be
 */
export function readPrices(env: Env): Map<string, TokenPrice> {
  return statedPrices(jsonSetting(env, "MODEL_PRICES", PriceList) ?? {});
}
