import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { WaypostError } from "../../errors.ts";
import type { ModelInfo } from "../types.ts";

/**
 * A library's model whose failures are all the catalogue's: a call throws them, a stream is errored with them and has no
 * `error` parts. A stream that ends without its last word is a failure.
 */
export function guardedModel(info: ModelInfo, model: LanguageModelV4): LanguageModelV4 {
  return {
    specificationVersion: "v4",
    provider: info.provider,
    modelId: info.name,
    supportedUrls: model.supportedUrls,
    async doGenerate(options) {
      try {
        return await model.doGenerate(options);
      } catch (error) {
        throw explained(info, error, options);
      }
    },
    async doStream(options) {
      try {
        const result = await model.doStream(options);
        return { ...result, stream: guardedStream(info, result.stream, options) };
      } catch (error) {
        throw explained(info, error, options);
      }
    },
  };
}

function guardedStream(
  info: ModelInfo,
  stream: ReadableStream<LanguageModelV4StreamPart>,
  options: LanguageModelV4CallOptions,
): ReadableStream<LanguageModelV4StreamPart> {
  const reader = stream.getReader();
  let finished = false;
  return new ReadableStream<LanguageModelV4StreamPart>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          if (!finished) throw failed(info, "cut its answer short");
          controller.close();
          return;
        }
        if (value.type === "error") throw value.error;
        // Without the provider's own word for it, the library has made up an end.
        if (value.type === "finish" && value.finishReason.raw === undefined) throw failed(info, "cut its answer short");
        finished ||= value.type === "finish";
        controller.enqueue(value);
      } catch (error) {
        controller.error(explained(info, error, options));
        reader.cancel().catch(() => {});
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

const failed = (info: ModelInfo, what: string): WaypostError =>
  new WaypostError("provider_failed", `Provider ${info.provider} (model ${info.name}) ${what}.`);

/** Libraries wrap what a request threw; the first of ours inside is what happened. */
function explained(info: ModelInfo, error: unknown, { abortSignal }: LanguageModelV4CallOptions): WaypostError {
  if (abortSignal?.aborted) return new WaypostError("client_closed", "The call was cancelled.");
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    if (cause instanceof WaypostError) return cause;
    if (cause.name === "AI_UnsupportedFunctionalityError" || cause.name === "AI_InvalidPromptError") {
      return new WaypostError("invalid_input", `Provider ${info.provider} cannot be asked this: ${cause.message}`);
    }
  }
  return overloaded(error)
    ? new WaypostError("provider_busy", `Provider ${info.provider} (model ${info.name}) gave up under its load.`, {
        retry_after: 5,
      })
    : failed(info, "sent an answer that is not valid");
}

/** Anthropic's error event in the middle of a stream, with the status its library gives it. */
function overloaded(error: unknown): boolean {
  const status = typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : undefined;
  return status === 429 || status === 529;
}
