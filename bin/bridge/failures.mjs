import { SdkHttpError } from "@modelcontextprotocol/client";

/**
 * What went wrong between here and the server, and what the client is told of it.
 *
 * @typedef {{ code: number, message: string, data?: unknown }} RpcError
 */

/** Statuses of something between here and the server, or of a server that restarts. */
const PASSING = new Set([502, 503, 504]);

/** @param {unknown} error Whether the same request may succeed in a moment. */
export function isPassing(error) {
  if (error instanceof SdkHttpError) return PASSING.has(error.status ?? 0);
  return error instanceof Cut || error instanceof TypeError;
}

/** @param {unknown} error Whether the server does not know the session any more. */
export const isSessionLost = (error) => error instanceof SdkHttpError && error.status === 404;

/** The connection ended before the answer came. */
export class Cut extends Error {
  constructor() {
    super("the connection was cut before the answer came");
  }
}

/**
 * @param {unknown} error
 * @returns {string} one line, without what a server or a library put around it
 */
export function reason(error) {
  if (error instanceof SdkHttpError) return `HTTP ${error.status}`;
  const { cause } = /** @type {{ cause?: { code?: string, message?: string } }} */ (error);
  const text = cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : String(error));
  return text.split("\n", 1)[0] ?? "";
}

/**
 * The server's own words when it gave any, else what the bridge knows.
 *
 * @param {unknown} error
 * @param {URL} url
 * @returns {RpcError}
 */
export function explain(error, url) {
  const said = error instanceof SdkHttpError ? errorIn(error.data.text) : undefined;
  if (said) return said;
  if (error instanceof SdkHttpError) {
    const next = error.status === 401 ? " Set WAYPOST_API_KEY to a valid key." : " Check WAYPOST_URL.";
    return { code: -32000, message: `${url.origin} answered HTTP ${error.status}, not as a Waypost server.${next}` };
  }
  if (error instanceof Cut) {
    return { code: -32000, message: `${url.origin}: ${error.message}. Try again; \`usage\` shows whether it ran.` };
  }
  if (error instanceof TypeError) {
    return {
      code: -32000,
      message: `Waypost cannot be reached at ${url.origin} (${reason(error)}). Start it, or correct WAYPOST_URL.`,
    };
  }
  return { code: -32000, message: `The answer of ${url.origin} could not be used: ${reason(error)}` };
}

/**
 * @param {unknown} text body of a refusal
 * @returns {RpcError | undefined}
 */
function errorIn(text) {
  try {
    const { error } = JSON.parse(String(text));
    return typeof error?.code === "number" && typeof error.message === "string" ? error : undefined;
  } catch {
    return undefined;
  }
}
