import { completionStream } from "./workers_ai_stream.ts";
import { completionOf, embeddingsOf, textsOf } from "./workers_ai_wire.ts";

/** What is used of the `AI` binding. */
export interface AiBinding {
  run(
    model: string,
    inputs: Record<string, unknown>,
    options?: { returnRawResponse?: true; signal?: AbortSignal; gateway?: { id: string } },
  ): Promise<unknown>;
}

/** Nobody's address: requests to it go to the binding. */
export const WORKERS_AI_URL = "https://workers-ai.invalid/v1";

/**
 * A `fetch` that carries OpenAI's chat completions and embeddings to the Workers AI binding and brings its answers back in
 * the same words. Newer models answer in them already; older ones have words of their own. An answer that is no success
 * comes back as it is.
 */
export function workersAiFetch(binding: AiBinding, gatewayId: string | undefined): typeof fetch {
  return async (input: RequestInfo | URL, init?: RequestInit) => {
    const { model, ...inputs } = JSON.parse(String(init?.body)) as { model: string } & Record<string, unknown>;
    const url = input instanceof Request ? input.url : String(input);
    const embeds = url.endsWith("/embeddings");
    const response = (await binding.run(model, embeds ? { text: textsOf(inputs.input) } : inputs, {
      returnRawResponse: true,
      ...(init?.signal ? { signal: init.signal } : {}),
      ...(gatewayId ? { gateway: { id: gatewayId } } : {}),
    })) as Response;
    const type = response.headers.get("content-type") ?? "";
    if (!response.ok || !response.body) return response;
    if (/^text\/event-stream\b/i.test(type)) {
      return new Response(completionStream(response.body, model, inputs.max_tokens), {
        headers: { "content-type": type },
      });
    }
    if (!/^application\/json\b/i.test(type)) return response;
    const inOurWords = (text: string): string =>
      (embeds ? embeddingsOf(text, model, inputs.encoding_format) : completionOf(text, model, inputs.max_tokens)) ??
      text;
    return new Response(response.body.pipeThrough(gathered(inOurWords)), { headers: { "content-type": type } });
  };
}

/** More than any answer takes. */
const MAX_BYTES = 16 * 1024 * 1024;

/** The whole text, changed, when it has come: a body that breaks off breaks off here as well. */
function gathered(change: (text: string) => string): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  let text = "";
  return new TransformStream({
    transform(bytes, controller) {
      text += decoder.decode(bytes, { stream: true });
      if (text.length > MAX_BYTES) controller.error(new RangeError("the answer is too large"));
    },
    flush: (controller) => controller.enqueue(new TextEncoder().encode(change(text + decoder.decode()))),
  });
}
