import type { AuthStore } from "./auth/store/auth_store.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { McpSession } from "./mcp/sessions/mcp_session.ts";
import type { AiBinding } from "./models/providers/workers_ai.ts";
import type { Runs } from "./runs/runs.ts";
import type { Vault } from "./vault/vault.ts";

/** Bindings and settings of the Worker. Settings are strings as the environment has them; `settings` parses them. */
export interface Env {
  LEDGER: DurableObjectNamespace<Ledger>;
  VAULT: DurableObjectNamespace<Vault>;
  AUTH: DurableObjectNamespace<AuthStore>;
  RUNS: DurableObjectNamespace<Runs>;
  MCP_SESSIONS: DurableObjectNamespace<McpSession>;
  DB: D1Database;
  BLOBS: R2Bucket;
  /** The network itself, where `fetch()` has something of the runtime's in between: `npm start` binds it. */
  NETWORK?: Fetcher;
  ENVIRONMENT: string;
  /** The server's public origin, e.g. `https://waypost.example`: issuer of tokens and base of every link. `npm start` sets it. */
  PUBLIC_URL?: string;
  /** Comma-separated further origins that reach this server; tokens for them are accepted too. */
  ALIAS_URLS?: string;
  /** Who may become a user by signing in: `closed` (default, invited people only) or `open`. */
  SIGN_UPS?: string;
  /** Sign-in with GitHub: an OAuth app's id and secret. */
  GITHUB_CLIENT_ID?: string;
  GITHUB_CLIENT_SECRET?: string;
  /** GitHub Enterprise: its web and API URL. Default https://github.com and https://api.github.com. */
  GITHUB_URL?: string;
  GITHUB_API_URL?: string;
  /** Sign-in with OpenID Connect. JSON array of {id, name, issuer, client_id, client_secret?}. */
  OIDC_ISSUERS?: string;
  /** Issuers whose JWTs are accepted on `/v1`. JSON array, see docs/identity.md. */
  JWT_ISSUERS?: string;
  /** Clerk: the Frontend API URL, which issues its session tokens, and the signing secret of its webhook. */
  CLERK_ISSUER?: string;
  CLERK_WEBHOOK_SECRET?: string;
  /** Origins that may be named in the `azp` claim of a Clerk session token, comma-separated; absent: any. */
  CLERK_AUTHORIZED_PARTIES?: string;
  /** Hosts of client metadata documents that may be private addresses, comma-separated: for tests and closed networks. */
  PRIVATE_CLIENT_HOSTS?: string;
  /** JSON {register_per_hour, token_per_minute}: OAuth requests allowed to one address. */
  OAUTH_LIMITS?: string;
  /** Allows POST /setup, which creates the owner account once. `npm start` makes one; a deployment sets it as a secret. */
  SETUP_TOKEN?: string;
  /** Comma-separated origins that browsers may call from; `*` = any. */
  ALLOWED_ORIGINS?: string;
  /** JSON: plan id -> {minute, hour, day, monthlyTokens, usd_month?, tools?: {name: {minute?, hour?, day?}}}; overrides and adds to the built-in plans. */
  PLANS?: string;
  /** Stripe: the secret key, the signing secret of its webhook, and another address of its API for tests. */
  STRIPE_SECRET_KEY?: string;
  STRIPE_WEBHOOK_SECRET?: string;
  STRIPE_API_URL?: string;
  OPENAI_API_KEY?: string;
  OPENAI_BASE_URL?: string;
  ANTHROPIC_API_KEY?: string;
  ANTHROPIC_BASE_URL?: string;
  /** Azure OpenAI: its key, the resource's name or its URL, and JSON {deployment: model}. */
  AZURE_OPENAI_API_KEY?: string;
  AZURE_OPENAI_RESOURCE?: string;
  AZURE_OPENAI_BASE_URL?: string;
  AZURE_OPENAI_DEPLOYMENTS?: string;
  /** Workers AI, in deployments on Cloudflare. */
  AI?: AiBinding;
  /** Cloudflare AI Gateway between here and OpenAI, Anthropic and Workers AI: its URL, and its token when it asks for one. */
  AI_GATEWAY_URL?: string;
  AI_GATEWAY_TOKEN?: string;
  /** An Ollama; `npm start` looks for one on this machine unless it is `off`. */
  OLLAMA_HOST?: string;
  /** Its models, comma-separated, the one for `auto` first; `npm start` asks the Ollama. */
  OLLAMA_MODELS?: string;
  /** Model that `auto` stands for, e.g. `openai/gpt-4o-mini`. */
  DEFAULT_MODEL?: string;
  /** JSON {quick?, general?, code?, hard?: [model id, …], fallbacks?: {model id: [model id, …]}}: models in the order in which they are asked. */
  ROUTES?: string;
  /** JSON array of further OpenAI-compatible providers: {id, base_url, api_key?, local?, models: [{name, context?, max_output?}]}. */
  MODEL_PROVIDERS?: string;
  /**
   * JSON: model id -> {input, output, cache_read?, cache_write?, cache_write_1h?, input_audio?, cache_read_audio?,
   * output_audio?, reasoning?, tiers?: [{above, input, output, …}]} in USD per million tokens, as decimal strings.
   */
  MODEL_PRICES?: string;
  /** JSON {local?, cloud?, knowledge?, plans?: {plan: {…}}, models?: {id: …}}: factors on the cost, as decimal strings. */
  MARKUPS?: string;
  /** Milliseconds a provider may stay silent before a call gives up. Default 60000, and 120000 for an answer that comes whole. */
  PROVIDER_TIMEOUT_MS?: string;
  /** Milliseconds a streamed answer that nobody reads goes on before its reader counts as gone. Default 5000. */
  RESUME_GRACE_MS?: string;
  /** Milliseconds the rest of an answer is read for a client that left. Default 20000. */
  DRAIN_MS?: string;
  /** Milliseconds of silence on a streamed answer after which a comment is sent. Default 5000. */
  KEEP_ALIVE_MS?: string;
  /** Milliseconds an MCP client waits for a chat before it is given a handle instead. Default 50000. */
  LONG_CALL_MS?: string;
  /**
   * JSON {by?: "openai" | "workers-ai", base_url?, model?, check?: ["input", "output"], on_failure?: "open" | "closed",
   * keep_content?: boolean, accounts?: {account: {check?, on_failure?, keep_content?}}}: who moderates, and for whom unasked.
   */
  MODERATION?: string;
  /** What a cached answer costs, in basis points of what it cost to make: 0 (default, free) to 10000. */
  CACHE_HIT?: string;
  /**
   * JSON {delete?, spend?: "off" | "ask" | "require", merge?: "off" | "ask", spend_above_usd?, accounts?: {account: {…}}}: what
   * a person is asked before it is done. Default: all `ask`, spending above 1 USD.
   */
  CONFIRM?: string;
}
