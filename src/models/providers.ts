import * as z from "zod";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import type { TokenPrice } from "../ledger/money.ts";
import { PriceList, statedPrices } from "./price_setting.ts";

/** An OpenAI-compatible endpoint as the settings describe it. */
export interface Provider {
  id: string;
  baseUrl: string;
  apiKey?: string;
  /** Set: the operator says whether it runs on their own machines. Absent: told from the URL and the model's name. */
  local?: boolean;
  /** The base URL is on this machine or a private network. */
  privateHost: boolean;
  models: { name: string; context?: number; max_output?: number }[];
  /** What `auto` takes here. */
  preferred?: string;
}

const OPENAI_URL = "https://api.openai.com/v1";
const ANTHROPIC_URL = "https://api.anthropic.com/v1";
const PREFERRED = { openai: "gpt-4o-mini", anthropic: "claude-haiku-4-5" } as const;

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

/**
 * The configured providers, in the order in which `auto` asks them.
 * @throws WaypostError `not_configured`, naming the setting that is wrong
 */
export function readProviders(env: Env): Provider[] {
  const providers: Provider[] = [];
  if (env.OPENAI_API_KEY || env.OPENAI_BASE_URL) {
    // Without a key it is somebody's own server: which models it has is theirs to say in DEFAULT_MODEL.
    const preferred = env.OPENAI_API_KEY ? PREFERRED.openai : undefined;
    providers.push(hosted("openai", env.OPENAI_API_KEY, env.OPENAI_BASE_URL, OPENAI_URL, "OPENAI_BASE_URL", preferred));
  }
  if (env.ANTHROPIC_API_KEY || env.ANTHROPIC_BASE_URL) {
    const { ANTHROPIC_API_KEY: key, ANTHROPIC_BASE_URL: url } = env;
    const preferred = key ? PREFERRED.anthropic : undefined;
    providers.push(hosted("anthropic", key, url, ANTHROPIC_URL, "ANTHROPIC_BASE_URL", preferred));
  }
  for (const { id, base_url, api_key, local, models } of parseSetting(env, "MODEL_PROVIDERS", ProviderList) ?? []) {
    if (id === "local" || id === "ollama" || providers.some((known) => known.id === id)) {
      throw new WaypostError("not_configured", `MODEL_PROVIDERS: the id "${id}" is taken`);
    }
    const url = parseUrl(base_url, "MODEL_PROVIDERS");
    providers.push({
      id,
      ...url,
      apiKey: api_key,
      local,
      models,
      preferred: models[0]?.name,
    });
  }
  if (env.OLLAMA_HOST) {
    const url = parseUrl(ollamaUrl(env.OLLAMA_HOST), "OLLAMA_HOST");
    providers.push({ id: "ollama", ...url, local: true, models: [] });
  }
  return providers;
}

function hosted(
  id: string,
  apiKey: string | undefined,
  customUrl: string | undefined,
  defaultUrl: string,
  setting: string,
  preferred: string | undefined,
): Provider {
  const url = parseUrl(customUrl || defaultUrl, setting);
  return { id, ...url, apiKey, models: [], preferred };
}

/**
 * Prices the operator set, by model id, in pico-USD per token.
 * @throws WaypostError `not_configured` when MODEL_PRICES is not what it should be
 */
export function readPrices(env: Env): Map<string, TokenPrice> {
  return statedPrices(parseSetting(env, "MODEL_PRICES", PriceList) ?? {});
}

/** The longest a Worker may wait on one read anyway. */
const MOST_MS = 600_000;

/** Milliseconds a provider may stay silent: between pieces of an answer, and before one that comes whole. */
export interface Patience {
  silentMs: number;
  wholeMs: number;
}

/** An answer that comes whole is silent while it is written, so it may take all the time that a call has. */
const PATIENCE: Patience = { silentMs: 60_000, wholeMs: 120_000 };

/** @throws WaypostError `not_configured` */
export function readTimeout(env: Env): Patience {
  if (!env.PROVIDER_TIMEOUT_MS) return PATIENCE;
  const ms = Number(env.PROVIDER_TIMEOUT_MS);
  if (Number.isInteger(ms) && ms > 0 && ms <= MOST_MS) return { silentMs: ms, wholeMs: ms };
  throw new WaypostError("not_configured", `PROVIDER_TIMEOUT_MS must be a whole number from 1 to ${MOST_MS}`);
}

function parseSetting<S extends z.ZodType>(
  env: Env,
  name: "MODEL_PROVIDERS" | "MODEL_PRICES",
  schema: S,
): z.output<S> | undefined {
  const text = env[name];
  if (!text) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new WaypostError("not_configured", `${name} is not valid JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new WaypostError("not_configured", `${name}: ${issue?.path.join(".") || "the value"}: ${issue?.message}`);
}

function parseUrl(text: string, setting: string): Pick<Provider, "baseUrl" | "privateHost"> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username) {
    throw new WaypostError("not_configured", `${setting} must hold a plain http or https URL, without query or user`);
  }
  return { baseUrl: url.href.replace(/\/+$/, ""), privateHost: isPrivateHost(url.hostname) };
}

/** Ollama's own reading of OLLAMA_HOST: the scheme and, without a scheme, the port may be missing. */
function ollamaUrl(host: string): string {
  const bare = host.trim().replace(/\/+$/, "");
  const hasScheme = /^https?:\/\//.test(bare);
  const withPort = hasScheme || /:\d+$/.test(bare) ? bare : `${bare}:11434`;
  const url = `${hasScheme ? "" : "http://"}${withPort}`.replace("//0.0.0.0", "//127.0.0.1");
  return `${url.replace(/\/v1$/, "")}/v1`;
}

/** Loopback, private ranges (RFC 1918, 3927, 4193), and names that only resolve inside a network. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/^\[|\]$/g, "");
  if (host.includes(":")) return host === "::1" || /^(f[cd]|fe[89ab])/.test(host);
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) {
    return /^(127|10|0)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\./.test(host);
  }
  return !host.includes(".") || /\.(localhost|local|internal|lan|home\.arpa)$/.test(host);
}
