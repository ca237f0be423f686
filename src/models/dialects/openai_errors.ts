import { type ErrorCode, errorCatalogue, type WaypostError } from "../../errors.ts";
import { shouldRetry, wordsOf } from "./error_words.ts";
import type { EncodedError } from "./types.ts";

/** Statuses and codes that programs written for OpenAI look for; the rest keep their status and our code. */
const KNOWN: Partial<Record<ErrorCode, { status?: number; type: string; code: string }>> = {
  unauthenticated: { type: "invalid_request_error", code: "invalid_api_key" },
  key_expired: { type: "invalid_request_error", code: "invalid_api_key" },
  key_revoked: { type: "invalid_request_error", code: "invalid_api_key" },
  payment_required: { status: 429, type: "insufficient_quota", code: "insufficient_quota" },
  budget_exceeded: { status: 429, type: "insufficient_quota", code: "insufficient_quota" },
  rate_limited: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  model_unknown: { status: 404, type: "invalid_request_error", code: "model_not_found" },
  context_too_long: { type: "invalid_request_error", code: "context_length_exceeded" },
  insufficient_scope: { type: "permission_error", code: "insufficient_permissions" },
};

/** The object under `error`; also what ends a stream that failed. */
export function openaiError(error: WaypostError): Record<string, unknown> {
  const known = KNOWN[error.code];
  const status = errorCatalogue[error.code].status;
  return {
    message: wordsOf(error),
    type: known?.type ?? (status >= 500 ? "server_error" : "invalid_request_error"),
    param: error.extras.issues?.[0]?.path ?? null,
    code: known?.code ?? error.code,
  };
}

export function encodeOpenaiError(error: WaypostError, requestId: string): EncodedError {
  const status = KNOWN[error.code]?.status ?? errorCatalogue[error.code].status;
  const headers = { ...shouldRetry(error), "x-request-id": requestId };
  return { status, headers, body: { error: { ...openaiError(error), request_id: requestId } } };
}
