import type { ErrorCode, ErrorExtras } from "../errors.ts";

/**
 * Who wrote the request that a provider refused: the caller, word for word; the caller, in another dialect; or this server,
 * around a question of the caller's.
 */
export type Author = "caller" | "converted" | "server";

/** A provider's answer that is no success, in the catalogue's words; `what` goes on a sentence that names the provider. */
export interface Refusal {
  code: ErrorCode;
  what: string;
  extras: ErrorExtras;
  /** Seconds the provider itself asked to wait, to the millisecond; undefined when it named none that makes sense. */
  waitS: number | undefined;
}

/** Anthropic's status for being overloaded. */
const OVERLOADED = 529;

/** How providers say it that have no code for it. */
const TOO_LONG = /prompt is too long|maximum context length|context (length|window|size)|too many tokens/i;

/** Reasons that are the operator's, though the status is that of a request that is wrong: no key, no money, no such model. */
const OPERATORS =
  /credit balance is too low|\b(?:incorrect|invalid|valid) api key|(?:no such|not a valid) model|^(?:invalid_api_key|billing_|model_not_found)/i;
const NO_MODEL = /model|deployment/i;

/** Advice when a busy provider does not say how long to wait, and the most that is passed on; seconds. */
const UNKNOWN_WAIT_S = 5;
const MOST_WAIT_S = 3600;

/**
 * Reads a provider's answer that is no success: the one table of docs/models.md, whichever way the request went. `body` is
 * its text, or the beginning of it; of that only plain names are kept, never words.
 */
export function readRefusal({ status, headers }: Response, body: string, author: Author): Refusal {
  const told = toldBy(body);
  const waitS = waitOf(headers);
  const said = `answered with status ${status}`;
  const wait = waitS === undefined ? {} : waitAdvice(waitS);
  const refusal = (code: ErrorCode, what = said, extras = wait): Refusal => ({ code, what, extras, waitS });

  if (status === 413 || told.code === "context_length_exceeded" || (status === 400 && TOO_LONG.test(told.message))) {
    return refusal("context_too_long", "says the prompt is too long for it", {});
  }
  if (told.code === "insufficient_quota") return refusal("provider_refused", said, {});
  // One that says when it will be back is busy; one that does not has failed.
  const busy = status === 429 || status === OVERLOADED || (status === 503 && waitS !== undefined);
  if (busy) return refusal("provider_busy", said, waitAdvice(waitS));
  if (status === 408) return refusal("provider_timeout");
  if (status >= 500) return refusal("provider_failed");
  if (status === 404 && author !== "server" && NO_MODEL.test(`${told.code ?? ""} ${told.message}`)) {
    return refusal("model_unknown", `does not know the model (status ${status})`, {});
  }
  if (status === 400 || status === 422) return { ...notAccepted(status, told, author), waitS };
  return refusal("provider_refused", said, {});
}

/** A request that the provider does not accept as it is: of whoever can put it right. */
function notAccepted(status: number, told: Told, author: Author): Omit<Refusal, "waitS"> {
  const { code, param } = told;
  const words = [code, param && `field ${param}`].filter(Boolean).join(", ");
  const what = `did not accept the request: status ${status}${words ? ` (${words})` : ""}`;
  if (!isCallers(told, author)) return { code: "provider_refused", what, extras: {} };
  // The fields of a converted request are not those of the caller's.
  const issues = author === "caller" && param ? [{ path: param, message: code ?? "not accepted by the provider" }] : [];
  const extras = { ...(issues.length > 0 ? { issues } : {}), ...(code ? { provider_code: code } : {}) };
  return { code: "invalid_input", what, extras };
}

/** What of a request that this server writes comes from the caller as it is. */
const FROM_THE_QUESTION = /^(?:messages|temperature|max_tokens|max_completion_tokens)\b/;

function isCallers({ code = "", param = "", message }: Told, author: Author): boolean {
  if (OPERATORS.test(code) || OPERATORS.test(message) || param === "model") return false;
  if (author !== "server" || param === "") return true;
  // Which of its two names the limit has is this server's choice.
  return FROM_THE_QUESTION.test(param) && !(param.startsWith("max_") && code === "unsupported_parameter");
}

interface Told {
  /** What it calls the failure; its kind where it has no code. */
  code?: string;
  /** The field it names. */
  param?: string;
  /** Its words: looked at, never kept. */
  message: string;
}

/** The names in an error's body, where they are plain names: anything longer may hold anything. */
function toldBy(body: string): Told {
  const error = errorIn(body);
  if (typeof error === "string") return { message: error };
  const { code, type, param, message } = (error ?? {}) as Record<string, unknown>;
  const named = nameIn(code) ?? nameIn(type);
  const field = nameIn(param);
  return {
    ...(named ? { code: named } : {}),
    ...(field ? { param: field } : {}),
    message: typeof message === "string" ? message : "",
  };
}

/** Under `error` or first of `errors`, for some servers in a list, for others the body itself. */
function errorIn(body: string): unknown {
  try {
    const json: unknown = JSON.parse(body);
    const only = (Array.isArray(json) ? json[0] : json) as { error?: unknown; errors?: unknown } | null | undefined;
    return only?.error ?? (Array.isArray(only?.errors) ? only.errors[0] : only);
  } catch {
    return undefined;
  }
}

const nameIn = (value: unknown): string | undefined =>
  typeof value === "string" && /^[a-z][\w.[\]]{0,79}$/i.test(value) && !/^(sk|wp|key)[_.]/.test(value)
    ? value
    : undefined;

/**
 * Seconds a provider asks to wait, up to an hour: `retry-after-ms`, which the official clients heed first, or `Retry-After`,
 * which is seconds or an HTTP date (RFC 9110, section 10.2.3). Undefined when neither makes sense.
 */
export function waitOf(headers: Headers, now = Date.now()): number | undefined {
  const [ms, other] = ["retry-after-ms", "retry-after"].map((name) => headers.get(name)?.trim() ?? "");
  const exact = numberIn(ms);
  const seconds = numberIn(other) ?? (dateIn(other) - now) / 1000;
  const wait = exact === undefined ? seconds : exact / 1000;
  if (!Number.isFinite(wait)) return undefined;
  return Math.min(Math.max(Math.ceil(wait * 1000) / 1000, 0), MOST_WAIT_S);
}

/** Without the name of a month it is no date: `-3` would be read as one. */
const dateIn = (text = ""): number => (/[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN);

const numberIn = (text = ""): number | undefined => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined);

/** What a caller is advised: whole seconds, never less than the provider asked for. */
export const waitAdvice = (waitS: number = UNKNOWN_WAIT_S): ErrorExtras => ({
  retry_after: Math.max(Math.ceil(waitS), 1),
});

/** Whether an error in the middle of Anthropic's answer tells of too much load. */
export const isOverload = (error: unknown): boolean =>
  /^(overloaded|rate_limit)_error$/.test(String((error as { type?: unknown } | null | undefined)?.type));
