import { APICallError } from "@ai-sdk/provider";
import { type ErrorCode, type ErrorExtras, WaypostError } from "../errors.ts";
import type { ModelInfo } from "./types.ts";

/** Most of an answer that is read, of one line of it, and of an error's body: a provider gone mad must not take memory. */
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;
const MAX_LINE_BYTES = 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;

/** Advice when a busy provider does not say how long to wait, and the most that is passed on. */
const RETRY_AFTER_S = { unknown: 5, most: 3600 };

const NEWLINE = 10;

/**
 * One request to a provider: a `fetch` that watches for silence, size and content type, and the translation of whatever
 * went wrong into the error catalogue. Nothing the provider wrote goes into an error, only its status.
 */
export class Upstream {
  readonly #info: ModelInfo;
  readonly #client: AbortSignal;
  readonly #timeoutMs: number;
  readonly #abort = new AbortController();
  readonly #onClientAbort = () => this.#abort.abort();
  /** The first failure seen here: layers above wrap or reword it. */
  #cause: WaypostError | undefined;
  #answered = false;

  constructor(info: ModelInfo, client: AbortSignal, timeoutMs: number) {
    this.#info = info;
    this.#client = client;
    this.#timeoutMs = timeoutMs;
    if (client.aborted) this.#abort.abort();
    else client.addEventListener("abort", this.#onClientAbort);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Ends the request, whatever state it is in. */
  close(): void {
    this.#client.removeEventListener("abort", this.#onClientAbort);
    this.#abort.abort();
  }

  /** @throws WaypostError `provider_failed`, `provider_timeout` */
  async fetch(url: string | URL | Request, init?: RequestInit): Promise<Response> {
    // A redirect would carry the key and the prompt to a host nobody configured.
    const response = await this.#patiently(fetch(url, { ...init, redirect: "manual" }));
    this.#answered = true;
    const { status, headers } = response;
    if (!response.ok) return new Response(await this.#errorBody(response), { status: notOk(status), headers });
    if (!response.body || !/^text\/event-stream\b/i.test(headers.get("content-type") ?? "")) {
      await response.body?.cancel();
      throw this.failed("did not answer with an event stream");
    }
    return new Response(this.#guard(response.body), { status, headers });
  }

  failed(what: string): WaypostError {
    return this.#error("provider_failed", what);
  }

  /** The catalogue's word for what happened. */
  explain(error: unknown): WaypostError {
    if (this.#client.aborted) return new WaypostError("client_closed", "The call was cancelled.");
    if (this.#cause) return this.#cause;
    if (error instanceof WaypostError) return error;
    if (APICallError.isInstance(error) && error.statusCode && error.statusCode >= 300) return this.#refusal(error);
    if (!this.#answered) return this.#error("provider_unreachable", "could not be reached");
    return this.failed("broke off its answer");
  }

  #refusal(error: APICallError): WaypostError {
    const status = error.statusCode ?? 500;
    const code = errorCode(error.data);
    const said = `answered with status ${status}`;
    if (code === "context_length_exceeded")
      return this.#error("context_too_long", "says the prompt is too long for it");
    if (status === 429 && code !== "insufficient_quota") {
      const retry_after = retryAfter(error.responseHeaders?.["retry-after"]);
      return this.#error("provider_busy", said, { retry_after });
    }
    if (status === 408) return this.#error("provider_timeout", said);
    return this.#error(status >= 500 ? "provider_failed" : "provider_refused", said);
  }

  #error(code: ErrorCode, what: string, extras?: ErrorExtras): WaypostError {
    this.#cause ??= new WaypostError(
      code,
      `Provider ${this.#info.provider} (model ${this.#info.name}) ${what}.`,
      extras,
    );
    return this.#cause;
  }

  /** Waits for the provider, but not longer than it may stay silent. */
  async #patiently<T>(wait: Promise<T>): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(this.#error("provider_timeout", `was silent for ${this.#timeoutMs} ms`));
        this.#abort.abort();
      }, this.#timeoutMs);
    });
    // The one that loses the race settles unobserved.
    wait.catch(() => {});
    try {
      return await Promise.race([wait, silence]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The body as it comes, read only when asked for, so that a slow client is not taken for a silent provider. */
  #guard(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    let total = 0;
    let line = 0;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const { done, value } = await this.#patiently(reader.read());
          if (done) return controller.close();
          total += value.length;
          const newline = value.lastIndexOf(NEWLINE);
          line = newline < 0 ? line + value.length : value.length - newline - 1;
          if (line > MAX_LINE_BYTES || total > MAX_RESPONSE_BYTES) {
            await reader.cancel().catch(() => {});
            throw this.failed("sent more than an answer can hold");
          }
          controller.enqueue(value);
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }

  async #errorBody(response: Response): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(MAX_ERROR_BYTES);
    let length = 0;
    const reader = response.body?.getReader();
    while (reader && length < bytes.length) {
      const { done, value } = await this.#patiently(reader.read());
      if (done) break;
      const part = value.subarray(0, bytes.length - length);
      bytes.set(part, length);
      length += part.length;
    }
    await reader?.cancel().catch(() => {});
    return bytes.slice(0, length);
  }
}

/** An opaque or informational status cannot be given to a new Response. */
const notOk = (status: number): number => (status >= 300 && status <= 599 ? status : 502);

function errorCode(data: unknown): unknown {
  const error = (data as { error?: { code?: unknown; type?: unknown } } | undefined)?.error;
  return error?.code ?? error?.type;
}

/** `Retry-After` is seconds or an HTTP date (RFC 9110, section 10.2.3). */
export function retryAfter(header: string | undefined, now = Date.now()): number {
  const text = header?.trim() ?? "";
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : (Date.parse(text) - now) / 1000;
  if (!Number.isFinite(seconds)) return RETRY_AFTER_S.unknown;
  return Math.min(Math.max(Math.ceil(seconds), 1), RETRY_AFTER_S.most);
}
