import type { Ledger } from "./ledger/ledger.ts";
import type { Vault } from "./vault/vault.ts";

/** Bindings and settings of the Worker. Settings are strings as the environment has them; `settings` parses them. */
export interface Env {
  LEDGER: DurableObjectNamespace<Ledger>;
  VAULT: DurableObjectNamespace<Vault>;
  DB: D1Database;
  BLOBS: R2Bucket;
  ENVIRONMENT: string;
  /** Allows POST /setup, which creates the owner account once. `npm start` makes one; a deployment sets it as a secret. */
  SETUP_TOKEN?: string;
  /** Comma-separated origins that browsers may call from; `*` = any. */
  ALLOWED_ORIGINS?: string;
  /** JSON: plan id -> {minute, hour, day, monthlyTokens}; overrides and adds to the built-in plans. */
  PLANS?: string;
  OPENAI_API_KEY?: string;
  OPENAI_BASE_URL?: string;
  ANTHROPIC_API_KEY?: string;
  ANTHROPIC_BASE_URL?: string;
  OLLAMA_HOST?: string;
  /** Model that `auto` stands for, e.g. `openai/gpt-4o-mini`. */
  DEFAULT_MODEL?: string;
  /** JSON array of further OpenAI-compatible providers: {id, base_url, api_key?, local?, models: [{name, context?, max_output?}]}. */
  MODEL_PROVIDERS?: string;
  /** JSON: model id -> {input, output, cache_read?, cache_write?} in USD per million tokens, as decimal strings. */
  MODEL_PRICES?: string;
  /** Milliseconds a provider may stay silent before a call gives up. Default 60000. */
  PROVIDER_TIMEOUT_MS?: string;
}
