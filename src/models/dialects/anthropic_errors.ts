import { type ErrorCode, errorCatalogue, type WaypostError } from "../../errors.ts";
import { shouldRetry, wordsOf } from "./error_words.ts";
import type { EncodedError } from "./types.ts";

/** Anthropic's status for a provider that has too much to do. */
const OVERLOADED = 529;
const STATUS: Partial<Record<ErrorCode, number>> = { model_unknown: 404, provider_busy: OVERLOADED };

const TYPES: Record<number, string> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  409: "conflict_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  [OVERLOADED]: "overloaded_error",
};

const statusOf = ({ code }: WaypostError): number => STATUS[code] ?? errorCatalogue[code].status;

/** The object under `error`; also what ends a stream that failed. */
export function anthropicError(error: WaypostError): Record<string, unknown> {
  const status = statusOf(error);
  const type = TYPES[status] ?? (status >= 500 ? "api_error" : "invalid_request_error");
  return { type, message: wordsOf(error), code: error.code };
}

export function encodeAnthropicError(error: WaypostError, requestId: string): EncodedError {
  return {
    status: statusOf(error),
    headers: { ...shouldRetry(error), "request-id": requestId },
    body: { type: "error", error: anthropicError(error), request_id: requestId },
  };
}
