import { WaypostError } from "../errors.ts";
import type { TokenUsage } from "../ledger/money.ts";
import { isReasoningModel } from "./limits.ts";
import { Meter } from "./meter.ts";
import { readChunk, readCompletion } from "./openai_wire.ts";
import { groundedMessages } from "./prompt.ts";
import type { Patience, Provider } from "./providers.ts";
import type { ChatMessage, ChatModel, FinishReason, ModelEvent, ModelInfo, ModelRequest } from "./types.ts";
import { Upstream } from "./upstream.ts";

/**
 * A model behind any endpoint that speaks OpenAI's chat completions. It is asked to stream only when somebody reads along:
 * one JSON costs both sides a fraction of what a thousand pieces do.
 */
export function openAICompatible(info: ModelInfo, provider: Provider, patience: Patience): ChatModel {
  return { info, stream: (request) => stream(info, provider, patience, request) };
}

async function* stream(
  info: ModelInfo,
  provider: Provider,
  patience: Patience,
  request: ModelRequest,
): AsyncGenerator<ModelEvent> {
  const messages = groundedMessages(request.messages, request.passages);
  const upstream = new Upstream(info, request.signal, request.streamed ? patience.silentMs : patience.wholeMs);
  const meter = new Meter(messages, request.maxOutputTokens);
  try {
    const url = `${provider.baseUrl}/chat/completions`;
    const response = await upstream.post(url, headersFor(provider), bodyOf(info, provider, messages, request));
    // What came decides how it is read: some servers stream always, others never.
    const type = response.headers.get("content-type") ?? "";
    if (/^text\/event-stream\b/i.test(type)) yield* pieces(response, upstream, meter);
    else if (/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) yield* whole(response, upstream, meter);
    else throw upstream.failed("answered with something that is no completion");
  } catch (error) {
    throw withUsage(upstream.explain(error), meter.produced());
  } finally {
    upstream.close();
  }
}

async function* pieces(response: Response, upstream: Upstream, meter: Meter): AsyncGenerator<ModelEvent> {
  let reason: FinishReason | undefined;
  for await (const events of upstream.events(response)) {
    for (const data of events) {
      if (data === "[DONE]") return yield meter.finish(reason ?? "other");
      const chunk = readChunk(data);
      if (!chunk) throw upstream.failed("sent a stream that is not valid");
      if (chunk.usage) meter.report(chunk.usage);
      meter.count(chunk.reasoning);
      meter.count(chunk.text);
      if (chunk.text) yield { type: "delta", text: chunk.text };
      reason = chunk.reason ?? reason;
    }
  }
  // Without its last word a stream was cut, unless nothing is missing from it.
  if (!reason || !meter.reported) throw upstream.failed("cut its answer short");
  yield meter.finish(reason);
}

async function* whole(response: Response, upstream: Upstream, meter: Meter): AsyncGenerator<ModelEvent> {
  const completion = readCompletion(await upstream.text(response));
  if (!completion) throw upstream.failed("sent an answer that is not valid");
  if (completion.usage) meter.report(completion.usage);
  meter.count(completion.reasoning);
  meter.count(completion.text);
  if (completion.text) yield { type: "delta", text: completion.text };
  yield meter.finish(completion.reason ?? "other");
}

const headers = new WeakMap<Provider, Record<string, string>>();

function headersFor(provider: Provider): Record<string, string> {
  let made = headers.get(provider);
  if (!made) {
    const { apiKey } = provider;
    made = { "Content-Type": "application/json", ...(apiKey ? { Authorization: `Bearer ${apiKey}` } : {}) };
    headers.set(provider, made);
  }
  return made;
}

function bodyOf(info: ModelInfo, provider: Provider, messages: ChatMessage[], request: ModelRequest): string {
  const reasoning = provider.id === "openai" && isReasoningModel(info.name);
  const { maxOutputTokens, temperature, streamed } = request;
  return JSON.stringify({
    model: info.name,
    messages,
    ...(reasoning ? { max_completion_tokens: maxOutputTokens } : { max_tokens: maxOutputTokens }),
    ...(temperature === undefined || reasoning ? {} : { temperature }),
    ...(streamed ? { stream: true, stream_options: { include_usage: true } } : {}),
  });
}

function withUsage(error: WaypostError, usage: TokenUsage | undefined): WaypostError {
  return usage ? new WaypostError(error.code, error.detail, { ...error.extras, usage }) : error;
}
