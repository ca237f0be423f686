import { toProblem, WaypostError } from "../errors.ts";
import { errorHeaders } from "../gate/headers.ts";
import { logFailure } from "../gate/log.ts";
import { openaiError } from "../models/dialects/openai_errors.ts";

/** Routes that are not in other APIs' words but that their clients ask: a refusal of theirs is told in those words as well. */
export const clientsAsk = (path: string): boolean => /^\/v1\/models(?:\/|$)/.test(path);

/** RFC 9457 answer. `forClients`: with the member `error`, where clients of OpenAI's and Anthropic's APIs look for a message. */
export function problemResponse(
  error: WaypostError,
  requestId: string,
  headers: Record<string, string> = errorHeaders(error),
  forClients = false,
): Response {
  const problem = toProblem(error, requestId);
  return new Response(JSON.stringify(forClients ? { ...problem, error: openaiError(error) } : problem), {
    status: error.status,
    headers: {
      "Content-Type": "application/problem+json",
      "Cache-Control": "no-store",
      "X-Request-Id": requestId,
      ...headers,
    },
  });
}

/** The answer to whatever a handler threw: a catalogue error as it is, anything else as `internal`. */
export function failureResponse(thrown: unknown, requestId: string, forClients = false): Response {
  const known = thrown instanceof WaypostError;
  if (!known) logFailure("api", requestId, thrown);
  const error = known ? thrown : new WaypostError("internal", "Something failed that should not have.");
  return problemResponse(error, requestId, undefined, forClients);
}
