import { type ErrorCode, type ErrorExtras, WaypostError } from "../errors.ts";
import { ProviderRefusal } from "./provider_refusal.ts";
import { type Author, readRefusal, waitAdvice } from "./refusals.ts";
import { Silence } from "./silence.ts";
import { EventReader, EventTooLong } from "./sse.ts";
import type { ModelInfo } from "./types.ts";

/** Most of an answer that is read, and of an error's body: a provider gone mad must not take memory. */
const MAX_RESPONSE_BYTES = 16 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
const MAX_LINE_BYTES = 1024 * 1024;
const LF = 10;

type Body = ReadableStreamDefaultReader<Uint8Array>;

/**
 * One request to a provider: watches for silence and size, and translates whatever went wrong into the error catalogue.
 * Nothing the provider wrote goes into an error, only its status and plain names.
 */
export class Upstream {
  readonly #info: ModelInfo;
  readonly #client: AbortSignal;
  readonly #author: Author;
  readonly #silence: Silence | undefined;
  /** Absent where nobody but the client ends the request: timers and signals are a good part of what a short call costs. */
  readonly #abort: AbortController | undefined;
  readonly #onClientAbort = () => this.#abort?.abort();
  #cancelBody: () => Promise<void> | undefined = () => undefined;
  /** The first failure seen here: what is thrown later is only its echo. */
  #cause: WaypostError | undefined;
  #answered = false;
  #ended = false;

  /**
   * `patienceMs`: the longest silence that is waited for; undefined: as long as the client waits. `author`: who wrote the
   * request.
   */
  constructor(info: ModelInfo, client: AbortSignal, patienceMs: number | undefined, author: Author = "server") {
    this.#info = info;
    this.#client = client;
    this.#author = author;
    if (patienceMs === undefined) return;
    const abort = new AbortController();
    this.#abort = abort;
    this.#silence = new Silence(patienceMs, () => {
      this.#error("provider_timeout", `was silent for ${patienceMs} ms`);
      abort.abort();
    });
    if (client.aborted) abort.abort();
    else client.addEventListener("abort", this.#onClientAbort);
  }

  /** Ends the request, whatever state it is in; a connection whose answer was read to its end is left for the next. */
  close(): void {
    this.#silence?.close();
    if (this.#abort) this.#client.removeEventListener("abort", this.#onClientAbort);
    if (this.#ended) return;
    this.#abort?.abort();
    this.#cancelBody()?.catch(() => {});
  }

  /**
   * Sends the request and waits for the head of an answer that is a success. Failures go through `explain`. `send` is the
   * provider's `fetch`.
   */
  async post(url: string, headers: HeadersInit, body: string, send: typeof fetch): Promise<Response> {
    const signal = this.#abort?.signal ?? this.#client;
    // A redirect would carry the key and the prompt to a host nobody configured.
    const init: RequestInit = { method: "POST", headers, body, redirect: "manual", signal };
    const response = await this.#patiently(send(url, init));
    this.#answered = true;
    this.#cancelBody = () => response.body?.cancel();
    if (!response.ok) throw await this.#refusal(response);
    return response;
  }

  /** The whole body as text. */
  async text(response: Response): Promise<string> {
    const length = Number(response.headers.get("content-length") ?? Number.NaN);
    const asSent = !response.headers.has("content-encoding");
    if (asSent && length <= MAX_RESPONSE_BYTES) {
      const text = await this.#patiently(response.text());
      this.#ended = true;
      return text;
    }
    const decoder = new TextDecoder();
    let text = "";
    for await (const bytes of this.#bytes(response)) text += decoder.decode(bytes, { stream: true });
    return text + decoder.decode();
  }

  /** The `data` of the body's server-sent events, all that came at once together. */
  async *events(response: Response): AsyncGenerator<string[]> {
    const reader = new EventReader();
    try {
      for await (const bytes of this.#bytes(response)) yield reader.push(bytes);
      yield reader.end();
    } catch (error) {
      throw error instanceof EventTooLong ? this.#tooMuch() : error;
    }
  }

  /** The body as it comes, read only when asked for, so that a slow client is not taken for a silent provider. */
  async *#bytes(response: Response): AsyncGenerator<Uint8Array> {
    const reader: Body | undefined = response.body?.getReader();
    this.#cancelBody = () => reader?.cancel();
    let total = 0;
    while (reader) {
      const { done, value } = await this.#patiently(reader.read());
      if (done) {
        this.#ended = true;
        return;
      }
      total += value.length;
      if (total > MAX_RESPONSE_BYTES) throw this.#tooMuch();
      yield value;
    }
  }

  /**
   * The body as it comes, for another reader. Whatever goes wrong errors it with the catalogue's word; when it has ended, or
   * is cancelled, so has the request.
   */
  body(response: Response): ReadableStream<Uint8Array> {
    const bytes = this.#bytes(response);
    // A line of an event stream that never ends would be gathered by whoever reads it.
    const bounded = /^text\/event-stream\b/i.test(response.headers.get("content-type") ?? "");
    let line = 0;
    return new ReadableStream({
      pull: async (controller) => {
        try {
          const { done, value } = await bytes.next();
          if (done) {
            this.close();
            controller.close();
            return;
          }
          const last = value.lastIndexOf(LF);
          line = last < 0 ? line + value.length : value.length - last - 1;
          if (bounded && line > MAX_LINE_BYTES) throw this.#tooMuch();
          if (value.length > 0) controller.enqueue(value);
        } catch (error) {
          const explained = this.explain(error);
          this.close();
          controller.error(explained);
        }
      },
      cancel: () => this.close(),
    });
  }

  /** It cannot serve for now. */
  busy(what: string): WaypostError {
    return this.#error("provider_busy", what, waitAdvice());
  }

  failed(what: string): WaypostError {
    return this.#error("provider_failed", what);
  }

  /** The catalogue's word for what happened. */
  explain(error: unknown): WaypostError {
    if (this.#client.aborted) return new WaypostError("client_closed", "The call was cancelled.");
    if (this.#cause) return this.#cause;
    if (error instanceof WaypostError) return error;
    if (!this.#answered) return this.#error("provider_unreachable", "could not be reached");
    return this.failed("broke off its answer");
  }

  #patiently<T>(wait: Promise<T>): Promise<T> {
    return this.#silence ? this.#silence.during(wait) : wait;
  }

  async #refusal(response: Response): Promise<WaypostError> {
    const { code, what, extras, waitS } = readRefusal(response, await this.#start(response), this.#author);
    this.#cause ??= new ProviderRefusal(code, this.#sentence(what), extras, response.status, waitS);
    return this.#cause;
  }

  #tooMuch(): WaypostError {
    return this.failed("sent more than an answer can hold");
  }

  #error(code: ErrorCode, what: string, extras?: ErrorExtras): WaypostError {
    this.#cause ??= new WaypostError(code, this.#sentence(what), extras);
    return this.#cause;
  }

  readonly #sentence = (what: string): string => `Provider ${this.#info.provider} (model ${this.#info.name}) ${what}.`;

  /** The beginning of a body: as much of it as an error needs. */
  async #start(response: Response): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    for await (const bytes of this.#bytes(response)) {
      text += decoder.decode(bytes, { stream: true });
      if (text.length >= MAX_ERROR_BYTES) break;
    }
    return text;
  }
}
