import * as z from "zod";
import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import { jsonSetting } from "../json_setting.ts";
import type { Provider } from "../providers.ts";
import { parseBaseUrl } from "./base_url.ts";

/** Deployment -> the model it is of. A deployment's own name says nothing: only this tells what it costs. */
const Deployments = z.record(z.string().min(1).max(64), z.string().min(1).max(200));

const RESOURCE = /^[a-z0-9][a-z0-9-]{0,62}$/i;

/**
 * Azure OpenAI through its v1 API, or why it is not offered.
 * @throws WaypostError `not_configured`
 */
export function readAzure(env: Env): Pick<Provider, "apiKey" | "baseUrl" | "privateHost" | "models"> | string {
  const apiKey = env.AZURE_OPENAI_API_KEY;
  if (!apiKey) return "AZURE_OPENAI_API_KEY is not set";
  if (!env.AZURE_OPENAI_BASE_URL && !env.AZURE_OPENAI_RESOURCE) {
    return "AZURE_OPENAI_RESOURCE (or AZURE_OPENAI_BASE_URL) is not set";
  }
  const deployments = jsonSetting(env, "AZURE_OPENAI_DEPLOYMENTS", Deployments) ?? {};
  const models = Object.entries(deployments).map(([name, model]) => ({ name, model }));
  if (models.length === 0) return "AZURE_OPENAI_DEPLOYMENTS names no deployment";
  const { baseUrl, privateHost } = azureUrl(env);
  return { apiKey, models, privateHost, baseUrl: /\/v1$/.test(baseUrl) ? baseUrl : `${baseUrl}/openai/v1` };
}

function azureUrl({ AZURE_OPENAI_BASE_URL: url, AZURE_OPENAI_RESOURCE: resource = "" }: Env) {
  if (url) return parseBaseUrl(url, "AZURE_OPENAI_BASE_URL");
  if (!RESOURCE.test(resource)) {
    throw new WaypostError("not_configured", "AZURE_OPENAI_RESOURCE must be the resource's name, without a domain");
  }
  return parseBaseUrl(`https://${resource}.openai.azure.com`, "AZURE_OPENAI_RESOURCE");
}
