import { errorCatalogue, type WaypostError } from "../../errors.ts";

/** What happened and what to do, with the catalogue's code, in the one line that clients of others show. */
export function wordsOf(error: WaypostError): string {
  const next = error.extras.next ?? errorCatalogue[error.code].next;
  const detail = /[.!?]$/.test(error.detail) ? error.detail : `${error.detail}.`;
  const wait = error.extras.retry_after === undefined ? "" : ` (retry_after: ${error.extras.retry_after} s)`;
  return `${error.code}: ${detail} ${next}${wait}`;
}

/** Whether the official clients, which try again by status, should: they heed this header. */
export const shouldRetry = (error: WaypostError): Record<string, string> => ({
  "x-should-retry": String(errorCatalogue[error.code].retry !== "never" || error.extras.retry_after !== undefined),
});
