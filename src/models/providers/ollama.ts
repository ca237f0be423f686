import type { Env } from "../../env.ts";
import type { Provider } from "../providers.ts";
import { parseBaseUrl } from "./base_url.ts";

/**
 * An Ollama, or why it is not offered. Its models are those of OLLAMA_MODELS, the first one for `auto`; others are asked
 * for by name.
 * @throws WaypostError `not_configured`
 */
export function readOllama(env: Env): Pick<Provider, "baseUrl" | "privateHost" | "models"> | string {
  if (!env.OLLAMA_HOST) return "OLLAMA_HOST is not set";
  if (env.OLLAMA_HOST === "off") return "OLLAMA_HOST is off";
  const names = (env.OLLAMA_MODELS ?? "").split(",").map((name) => name.trim());
  const models = names.filter((name) => name !== "").map((name) => ({ name }));
  return { ...parseBaseUrl(ollamaUrl(env.OLLAMA_HOST), "OLLAMA_HOST"), models };
}

/** Ollama's own reading of OLLAMA_HOST: the scheme and, without a scheme, the port may be missing. */
export function ollamaUrl(host: string): string {
  const bare = host.trim().replace(/\/+$/, "");
  const hasScheme = /^https?:\/\//.test(bare);
  const withPort = hasScheme || /:\d+$/.test(bare) ? bare : `${bare}:11434`;
  const url = `${hasScheme ? "" : "http://"}${withPort}`.replace("//0.0.0.0", "//127.0.0.1");
  return `${url.replace(/\/v1$/, "")}/v1`;
}
