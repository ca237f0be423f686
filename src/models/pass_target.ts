import type { DialectName } from "./dialects/types.ts";
import type { Patience } from "./patience.ts";
import type { Provider, ProviderKind } from "./providers.ts";
import type { ModelInfo } from "./types.ts";

export type PassPath = "/chat/completions" | "/embeddings" | "/responses" | "/messages" | "/messages/count_tokens";

/** Where a request in a dialect that the provider speaks itself is sent. */
export interface PassTarget {
  /** Undefined when the provider has no such path. */
  url(path: PassPath): string | undefined;
  /** What the request must carry: content type, key, version. */
  headers: Record<string, string>;
  /** Dialects the provider speaks itself. */
  dialects: readonly DialectName[];
  /** The model's name at the provider. */
  modelName: string;
  /**
   * Sends it: the global fetch, or something of its shape where the provider is a binding. Its redirects must not be
   * followed: they would carry the key to a host nobody configured.
   */
  fetch: typeof fetch;
  /** How long it may stay silent. */
  patience: Patience;
}

interface Speaks {
  dialects: readonly DialectName[];
  paths: readonly PassPath[];
}

const CHAT: Speaks = { dialects: ["openai-chat"], paths: ["/chat/completions", "/embeddings"] };
const OPENAI: Speaks = {
  dialects: ["openai-chat", "openai-responses"],
  paths: ["/chat/completions", "/embeddings", "/responses"],
};
const SPEAKS: Record<ProviderKind, Speaks> = {
  openai: OPENAI,
  azure: OPENAI,
  anthropic: { dialects: ["anthropic-messages"], paths: ["/messages", "/messages/count_tokens"] },
  "workers-ai": CHAT,
  ollama: CHAT,
  compatible: CHAT,
};

/** The target of a model's requests at its provider. */
export function passTarget(info: ModelInfo, provider: Provider, patience: Patience): PassTarget {
  const { dialects, paths } = speaks(provider);
  return {
    url: (path) => (paths.includes(path) ? `${provider.baseUrl}${path}` : undefined),
    headers: provider.headers,
    dialects,
    modelName: info.name,
    fetch: provider.fetch,
    patience,
  };
}

/** Somebody's own server under OpenAI's address setting is only known to speak chat completions. */
const speaks = ({ kind, apiKey }: Provider): Speaks => (kind === "openai" && !apiKey ? CHAT : SPEAKS[kind]);
