import { type CatalogueEntry, type ErrorCode, errorCatalogue } from "./error_catalogue.ts";

export { type ErrorCode, errorCatalogue };

/** One problem with one field of the input. `path` is dotted, e.g. `documents.0.text`. */
export interface InputIssue {
  path: string;
  message: string;
}

export interface ErrorExtras {
  /** What to do next, where the catalogue's advice is about other things. */
  next?: string;
  /** Seconds until the same call can succeed; also sent as `Retry-After`. */
  retry_after?: number;
  required_scope?: string;
  /** What the credential has. */
  granted_scopes?: string[];
  /** Page on which the user can add the required scope to the app's grant. */
  grant_scope_url?: string;
  issues?: InputIssue[];
  /** Calls that help after this failure, with all their arguments. */
  next_calls?: { tool: string; arguments: Record<string, unknown>; why: string }[];
  /** What a failed call was charged for work that was done; absent = nothing. */
  charged_nano_usd?: number;
  /** Which window or quota refused: `minute`, `hour`, `day`. */
  limit?: string;
  [extra: string]: unknown;
}

/** The JSON form of a failure: RFC 9457 members plus the catalogue's own. */
export interface Problem extends ErrorExtras {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  next: string;
  retry: CatalogueEntry["retry"];
  request_id?: string;
}

/** The only error that handlers throw on purpose. `detail` is shown to the caller: never put content or secrets in it. */
export class WaypostError extends Error {
  override readonly name = "WaypostError";
  readonly code: ErrorCode;
  readonly detail: string;
  readonly extras: ErrorExtras;

  constructor(code: ErrorCode, detail: string, extras: ErrorExtras = {}) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
    this.extras = extras;
  }

  get status(): number {
    return errorCatalogue[this.code].status;
  }
}

export function toProblem(error: WaypostError, requestId?: string): Problem {
  const { status, title, retry, next } = errorCatalogue[error.code];
  return {
    type: `/errors/${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.detail,
    next,
    retry,
    ...error.extras,
    ...(requestId ? { request_id: requestId } : {}),
  };
}

/**
 * Durable Object RPC keeps only an error's message and name, so a catalogue error crosses that border as a value.
 * `Result` is that value; `unwrap` turns it back into the thrown error.
 */
export type Result<T> = { ok: true; value: T } | { ok: false; code: ErrorCode; detail: string; extras?: ErrorExtras };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
export const fail = (code: ErrorCode, detail: string, extras?: ErrorExtras): Result<never> => ({
  ok: false,
  code,
  detail,
  ...(extras ? { extras } : {}),
});

export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new WaypostError(result.code, result.detail, result.extras);
}
