import { existsSync, readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import type { Env } from "../../src/env.ts";
import { firstLine, StartFailure } from "./failure.ts";

/** Settings that are taken from the environment. The start script makes SETUP_TOKEN itself. */
export const SETTINGS = [
  "ALLOWED_ORIGINS",
  "PLANS",
  "PUBLIC_URL",
  "ALIAS_URLS",
  "SIGN_UPS",
  "GITHUB_CLIENT_ID",
  "GITHUB_CLIENT_SECRET",
  "GITHUB_URL",
  "GITHUB_API_URL",
  "OIDC_ISSUERS",
  "JWT_ISSUERS",
  "CLERK_ISSUER",
  "CLERK_WEBHOOK_SECRET",
  "CLERK_AUTHORIZED_PARTIES",
  "PRIVATE_CLIENT_HOSTS",
  "OAUTH_LIMITS",
  "STRIPE_SECRET_KEY",
  "STRIPE_WEBHOOK_SECRET",
  "STRIPE_API_URL",
  "OPENAI_API_KEY",
  "OPENAI_BASE_URL",
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_BASE_URL",
  "AZURE_OPENAI_API_KEY",
  "AZURE_OPENAI_RESOURCE",
  "AZURE_OPENAI_BASE_URL",
  "AZURE_OPENAI_DEPLOYMENTS",
  "AI_GATEWAY_URL",
  "AI_GATEWAY_TOKEN",
  "OLLAMA_HOST",
  "OLLAMA_MODELS",
  "DEFAULT_MODEL",
  "ROUTES",
  "MODEL_PROVIDERS",
  "MODEL_PRICES",
  "MARKUPS",
  "PROVIDER_TIMEOUT_MS",
  "MODERATION",
  "CACHE_HIT",
  "CONFIRM",
  "RESUME_GRACE_MS",
  "LONG_CALL_MS",
  "DRAIN_MS",
  "KEEP_ALIVE_MS",
] as const;

/** These bindings are optional too, and no settings. */
type OptionalName = Exclude<{ [K in keyof Env]-?: undefined extends Env[K] ? K : never }[keyof Env], "AI" | "NETWORK">;
type Forgotten = Exclude<OptionalName, (typeof SETTINGS)[number] | "SETUP_TOKEN">;
// Does not compile when src/env.ts has a setting that SETTINGS lacks, or the other way round.
const _complete: [Forgotten] extends [never] ? readonly OptionalName[] : Forgotten = SETTINGS;

/**
 * Settings for the Worker: everything in the settings file, and those of `SETTINGS` that the environment has.
 * The environment wins; an empty value counts as not set.
 * @param file as it was asked for; null: `otherwise`, which need not exist
 * @throws StartFailure when the file cannot be read
 */
export function readSettings(
  file: string | null,
  otherwise: string,
  environment: NodeJS.ProcessEnv,
): Record<string, string> {
  const settings: Record<string, string> = {};
  const vars = file === null && !existsSync(otherwise) ? {} : readVars(file ?? otherwise);
  for (const [name, value] of Object.entries(vars)) if (value) settings[name] = value;
  for (const name of SETTINGS) {
    const value = environment[name];
    if (value) settings[name] = value;
  }
  return settings;
}

function readVars(file: string): NodeJS.Dict<string> {
  try {
    return parseEnv(readFileSync(file, "utf8"));
  } catch (error) {
    throw new StartFailure(`cannot read the settings file ${file}: ${firstLine(error)}`);
  }
}
