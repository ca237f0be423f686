import { WaypostError } from "../../errors.ts";
import type { TokenUsage } from "../../ledger/money.ts";
import { Meter } from "../meter.ts";
import { openAIWire } from "../openai_wire.ts";
import type { Patience } from "../patience.ts";
import { groundedMessages } from "../prompt.ts";
import type { Provider } from "../providers.ts";
import type { ChatModel, FinishReason, ModelEvent, ModelInfo, ModelRequest } from "../types.ts";
import { Upstream } from "../upstream.ts";
import { anthropicWire } from "./anthropic_wire.ts";
import type { Wire } from "./wire.ts";

/**
 * A model at a provider. It is asked to stream only when somebody reads along: one JSON costs both sides a fraction of what a
 * thousand pieces do.
 */
export function hostedModel(info: ModelInfo, provider: Provider, patience: Patience): ChatModel {
  const wire = provider.kind === "anthropic" ? anthropicWire : openAIWire;
  return { info, stream: (request) => stream(wire, info, provider, patience, request) };
}

async function* stream(
  wire: Wire,
  info: ModelInfo,
  provider: Provider,
  patience: Patience,
  request: ModelRequest,
): AsyncGenerator<ModelEvent> {
  const messages = groundedMessages(request.messages, request.passages);
  const upstream = new Upstream(info, request.signal, request.streamed ? patience.silentMs : patience.wholeMs);
  const meter = new Meter(messages, request.maxOutputTokens);
  try {
    const body = wire.body(info, provider, messages, request);
    const response = await upstream.post(`${provider.baseUrl}${wire.path}`, provider.headers, body, provider.fetch);
    // What came decides how it is read: some servers stream always, others never.
    const type = response.headers.get("content-type") ?? "";
    if (/^text\/event-stream\b/i.test(type)) yield* pieces(wire, response, upstream, meter);
    else if (/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) yield* whole(wire, response, upstream, meter);
    else throw upstream.failed("answered with something that is no completion");
  } catch (error) {
    throw withUsage(upstream.explain(error), meter.produced());
  } finally {
    upstream.close();
  }
}

async function* pieces(wire: Wire, response: Response, upstream: Upstream, meter: Meter): AsyncGenerator<ModelEvent> {
  const read = wire.reader();
  let reason: FinishReason | undefined;
  for await (const events of upstream.events(response)) {
    for (const data of events) {
      const said = read(data);
      if (said === "end") return yield meter.finish(reason ?? "other");
      if (said === "busy") throw upstream.busy("gave up under its load");
      if (!said) throw upstream.failed("sent a stream that is not valid");
      if (said.prompt) meter.prompt(said.prompt);
      if (said.usage) meter.report(said.usage);
      meter.count(said.reasoning);
      meter.count(said.text);
      if (said.text) yield { type: "delta", text: said.text };
      reason = said.reason ?? reason;
    }
  }
  // Without its last word a stream was cut, unless the answer has said why it ended.
  if (!reason) throw upstream.failed("cut its answer short");
  yield meter.finish(reason);
}

async function* whole(wire: Wire, response: Response, upstream: Upstream, meter: Meter): AsyncGenerator<ModelEvent> {
  const said = wire.whole(await upstream.text(response));
  if (!said) throw upstream.failed("sent an answer that is not valid");
  if (said.usage) meter.report(said.usage);
  else {
    meter.count(said.reasoning);
    meter.count(said.text);
  }
  if (said.text) yield { type: "delta", text: said.text };
  yield meter.finish(said.reason ?? "other");
}

function withUsage(error: WaypostError, usage: TokenUsage | undefined): WaypostError {
  return usage ? new WaypostError(error.code, error.detail, { ...error.extras, usage }) : error;
}
