import type { LanguageModelV4 } from "@ai-sdk/provider";
import { lazily } from "../../lazily.ts";
import { isReasoningModel } from "../limits.ts";
import type { Patience } from "../patience.ts";
import type { Provider } from "../providers.ts";
import type { ModelInfo } from "../types.ts";
import { guardedFetch } from "./guarded_fetch.ts";
import { guardedModel } from "./guarded_model.ts";

const anthropic = lazily(() => import("./sdk_anthropic.ts"));
const compatible = lazily(() => import("./sdk_compatible.ts"));

/** Anthropic fetches these itself. */
const MEDIA_URLS = { "image/*": [/^https?:/], "application/pdf": [/^https?:/] };

/** What says who we are is added where the request is sent. */
const NO_HEADERS = () => ({});

/** A provider's model as the AI SDK speaks to it. */
export async function languageModel(info: ModelInfo, provider: Provider, patience: Patience): Promise<LanguageModelV4> {
  const fetch = guardedFetch(info, provider, patience);
  const { id: name, baseUrl: baseURL } = provider;
  if (provider.kind === "anthropic") {
    const { AnthropicLanguageModel } = await anthropic();
    const settings = { provider: name, baseURL, fetch, supportsMessageThreads: true, supportedUrls: () => MEDIA_URLS };
    return guardedModel(info, new AnthropicLanguageModel(info.name, settings));
  }
  const { OpenAICompatibleChatLanguageModel } = await compatible();
  const hosted = provider.kind === "openai" || provider.kind === "azure";
  const settings = {
    provider: `${name}.chat`,
    url: ({ path }: { path: string }) => `${baseURL}${path}`,
    headers: NO_HEADERS,
    fetch,
    includeUsage: true,
    supportsStructuredOutputs: true,
    ...(hosted && isReasoningModel(info.model) ? { transformRequestBody: forReasoning } : {}),
  };
  return guardedModel(info, new OpenAICompatibleChatLanguageModel(info.name, settings));
}

/** OpenAI's reasoning models name the limit otherwise and refuse to be sampled. */
function forReasoning({
  max_tokens,
  temperature: _,
  top_p: __,
  ...body
}: Record<string, unknown>): Record<string, unknown> {
  return { ...body, ...(max_tokens === undefined ? {} : { max_completion_tokens: max_tokens }) };
}
