import { toProblem, type WaypostError } from "../errors.ts";
import { errorHeaders } from "../gate/headers.ts";

/** RFC 9457 answer. */
export function problemResponse(
  error: WaypostError,
  requestId: string,
  headers: Record<string, string> = errorHeaders(error),
): Response {
  return new Response(JSON.stringify(toProblem(error, requestId)), {
    status: error.status,
    headers: { "Content-Type": "application/problem+json", "Cache-Control": "no-store", ...headers },
  });
}
