import { EventReader } from "../sse.ts";
import { finishOf, nativeAnswer, toolCallsOf, wordsOf } from "./workers_ai_wire.ts";

/**
 * A stream of Workers AI as a stream of chat completions. Events that are so already, or are no answer at all, pass as they
 * came: whoever reads the stream judges them. What ends too early ends too early here as well.
 */
export function completionStream(
  body: ReadableStream<Uint8Array>,
  model: string,
  maxTokens: unknown,
): ReadableStream<Uint8Array> {
  const events = new EventReader();
  const encoder = new TextEncoder();
  const head = {
    id: `chatcmpl-${crypto.randomUUID()}`,
    object: "chat.completion.chunk",
    created: Math.floor(Date.now() / 1000),
    model,
  };
  let native = false;
  let callsTools = false;
  let usage: unknown;

  const frame = (fields: object): string => `data: ${JSON.stringify({ ...head, ...fields })}\n\n`;
  const translate = (data: string): string => {
    if (data === "[DONE]") return native ? `${ending()}data: [DONE]\n\n` : "data: [DONE]\n\n";
    const answer = nativeAnswer(data);
    if (!answer || !("response" in answer || "tool_calls" in answer || "usage" in answer)) return asCame(data);
    native = true;
    usage = answer.usage ?? usage;
    const content = wordsOf(answer.response);
    const tool_calls = toolCallsOf(answer.tool_calls);
    callsTools ||= tool_calls.length > 0;
    if (content === "" && tool_calls.length === 0) return "";
    const delta = { content, ...(tool_calls.length > 0 ? { tool_calls } : {}) };
    return frame({ choices: [{ index: 0, delta, finish_reason: null }] });
  };
  const ending = (): string => {
    const finish_reason = finishOf(callsTools, usage, maxTokens);
    const last = frame({ choices: [{ index: 0, delta: {}, finish_reason }] });
    return usage ? last + frame({ choices: [], usage }) : last;
  };

  return body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        const text = events.push(bytes).map(translate).join("");
        if (text) controller.enqueue(encoder.encode(text));
      },
      flush(controller) {
        const text = events.end().map(translate).join("");
        if (text) controller.enqueue(encoder.encode(text));
      },
    }),
  );
}

const asCame = (data: string): string => `${data.replace(/^/gm, "data: ")}\n\n`;
