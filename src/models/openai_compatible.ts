import type {
  LanguageModelV4Prompt,
  LanguageModelV4StreamPart,
  LanguageModelV4StreamResult,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import { WaypostError } from "../errors.ts";
import type { TokenUsage } from "../ledger/money.ts";
import { isReasoningModel } from "./limits.ts";
import { groundedMessages } from "./prompt.ts";
import type { Provider } from "./providers.ts";
import { estimatePrompt, estimateTokens } from "./tokens.ts";
import type { ChatMessage, ChatModel, FinishReason, ModelEvent, ModelInfo, ModelRequest } from "./types.ts";
import { Upstream } from "./upstream.ts";

/** A model behind any endpoint that speaks OpenAI's chat completions. `timeoutMs`: longest silence that is waited for. */
export function openAICompatible(info: ModelInfo, provider: Provider, timeoutMs: number): ChatModel {
  return { info, stream: (request) => stream(info, provider, timeoutMs, request) };
}

async function* stream(
  info: ModelInfo,
  provider: Provider,
  timeoutMs: number,
  request: ModelRequest,
): AsyncGenerator<ModelEvent> {
  const messages = groundedMessages(request.messages, request.passages);
  const upstream = new Upstream(info, request.signal, timeoutMs);
  const meter = new Meter(messages, request.maxOutputTokens);
  try {
    const { stream: parts } = await open(info, provider, upstream, messages, request);
    for await (const part of parts) {
      const event = meter.read(part, upstream);
      if (event) yield event;
    }
  } catch (error) {
    throw withUsage(upstream.explain(error), meter.produced());
  } finally {
    upstream.close();
  }
}

async function open(
  info: ModelInfo,
  provider: Provider,
  upstream: Upstream,
  messages: ChatMessage[],
  request: ModelRequest,
): Promise<LanguageModelV4StreamResult> {
  // Loaded by the first call that needs it: a Worker that starts should not pay for what most requests never use.
  const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
  const reasoning = provider.id === "openai" && isReasoningModel(info.name);
  const model = createOpenAICompatible({
    name: provider.id,
    baseURL: provider.baseUrl,
    apiKey: provider.apiKey,
    includeUsage: true,
    fetch: (url, init) => upstream.fetch(url, init),
    ...(reasoning ? { transformRequestBody: renameTokenLimit } : {}),
  }).chatModel(info.name);
  return model.doStream({
    prompt: toPrompt(messages),
    maxOutputTokens: request.maxOutputTokens,
    ...(request.temperature === undefined || reasoning ? {} : { temperature: request.temperature }),
    abortSignal: upstream.signal,
  });
}

function renameTokenLimit({ max_tokens, ...body }: Record<string, unknown>): Record<string, unknown> {
  return { ...body, max_completion_tokens: max_tokens };
}

const toPrompt = (messages: ChatMessage[]): LanguageModelV4Prompt =>
  messages.map(({ role, content }) =>
    role === "system" ? { role, content } : { role, content: [{ type: "text", text: content }] },
  );

/** Turns stream parts into events and keeps count, so that a cancelled one can be billed for what it gave. */
class Meter {
  readonly #messages: ChatMessage[];
  readonly #maxOutput: number;
  #output = 0;
  #begun = false;

  constructor(messages: ChatMessage[], maxOutput: number) {
    this.#messages = messages;
    this.#maxOutput = maxOutput;
  }

  /** @throws WaypostError `provider_failed` when the part says that the stream is broken */
  read(part: LanguageModelV4StreamPart, upstream: Upstream): ModelEvent | undefined {
    switch (part.type) {
      case "text-delta":
        this.#count(part.delta);
        return { type: "delta", text: part.delta };
      case "reasoning-delta":
        this.#count(part.delta);
        return undefined;
      case "error":
        throw upstream.failed("sent a stream that is not valid or was cut short");
      case "finish": {
        const reported = toUsage(part.usage);
        return {
          type: "finish",
          reason: REASONS[part.finishReason.unified] ?? "other",
          usage: reported ?? this.#estimate(),
          estimated: reported === undefined,
        };
      }
    }
    return undefined;
  }

  /** What was produced so far, counted here; undefined when nothing was. */
  produced(): TokenUsage | undefined {
    return this.#begun ? this.#estimate() : undefined;
  }

  #count(text: string): void {
    this.#begun = true;
    this.#output += estimateTokens(text);
  }

  #estimate(): TokenUsage {
    return { input: estimatePrompt(this.#messages), output: Math.min(this.#output, this.#maxOutput) };
  }
}

const REASONS: Record<string, FinishReason> = {
  stop: "stop",
  length: "length",
  "content-filter": "content_filter",
  "tool-calls": "tool_calls",
};

/**
 * Usage as reported, split so that classes do not overlap: OpenAI counts cached and cache-written tokens in the prompt's.
 * Undefined when none was sent or it makes no sense.
 */
function toUsage(usage: LanguageModelV4Usage): TokenUsage | undefined {
  const { raw } = usage;
  if (!raw) return undefined;
  const details = (raw.prompt_tokens_details ?? {}) as Record<string, unknown>;
  const prompt = raw.prompt_tokens;
  const output = raw.completion_tokens;
  const cacheRead = details.cached_tokens ?? 0;
  const cacheWrite = details.cache_write_tokens ?? 0;
  if (!isCount(prompt) || !isCount(output) || !isCount(cacheRead) || !isCount(cacheWrite)) return undefined;
  if (cacheRead + cacheWrite > prompt) return undefined;
  return {
    input: prompt - cacheRead - cacheWrite,
    output,
    ...(cacheRead > 0 ? { cacheRead } : {}),
    ...(cacheWrite > 0 ? { cacheWrite } : {}),
  };
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function withUsage(error: WaypostError, usage: TokenUsage | undefined): WaypostError {
  return usage ? new WaypostError(error.code, error.detail, { ...error.extras, usage }) : error;
}
