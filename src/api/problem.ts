import { toProblem, WaypostError } from "../errors.ts";
import { errorHeaders } from "../gate/headers.ts";
import { logFailure } from "../gate/log.ts";

/** RFC 9457 answer. */
export function problemResponse(
  error: WaypostError,
  requestId: string,
  headers: Record<string, string> = errorHeaders(error),
): Response {
  return new Response(JSON.stringify(toProblem(error, requestId)), {
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
export function failureResponse(thrown: unknown, requestId: string): Response {
  if (thrown instanceof WaypostError) return problemResponse(thrown, requestId);
  logFailure("api", requestId, thrown);
  return problemResponse(new WaypostError("internal", "Something failed that should not have."), requestId);
}
