import { type ErrorCode, type ErrorExtras, WaypostError } from "../../errors.ts";
import type { PassTarget } from "../pass_target.ts";
import { ProviderRefusal } from "../provider_refusal.ts";
import { readRefusal, waitAdvice } from "../refusals.ts";
import { Silence } from "../silence.ts";
import type { ModelInfo } from "../types.ts";
import { Batches } from "./batches.ts";

/** Most of a whole answer, and of an error's body, that is read. */
const MAX_WHOLE_BYTES = 16 * 1024 * 1024;
const MAX_ERROR_BYTES = 64 * 1024;
const LONGER_THAN_A_CALL_MS = 600_000;

type NextPiece = () => Promise<ReadableStreamReadResult<Uint8Array>>;

/**
 * One request to a provider in the caller's own words. Watches for silence, and tells failures in the catalogue's words:
 * of the provider's only its status and the names it gives to the error and the field.
 */
export class PassRequest {
  readonly #info: ModelInfo;
  readonly #target: PassTarget;
  readonly #silence: Silence;
  readonly #abort = new AbortController();
  readonly #onAbort = () => this.cut();
  #heeded: AbortSignal | undefined;
  #isCut = false;
  #cause: WaypostError | undefined;
  #answered = false;
  #ended = false;

  /** `patienceMs`: the longest silence that is waited for; by default longer than any call. */
  constructor(info: ModelInfo, target: PassTarget, patienceMs = LONGER_THAN_A_CALL_MS) {
    this.#info = info;
    this.#target = target;
    this.#silence = new Silence(patienceMs, () => {
      this.#error("provider_timeout", `was silent for ${patienceMs} ms`);
      this.#abort.abort();
    });
  }

  /** The signal ends it. */
  heed(signal: AbortSignal): void {
    this.#heeded = signal;
    if (signal.aborted) this.cut();
    else signal.addEventListener("abort", this.#onAbort);
  }

  /** Ends it, since the call is over or nobody wants the rest. */
  cut(): void {
    this.#isCut = true;
    this.#abort.abort();
  }

  /** Ends the request; a connection whose answer was read to its end is left for the next. */
  close(): void {
    this.#heeded?.removeEventListener("abort", this.#onAbort);
    this.#silence.close();
    if (!this.#ended) this.#abort.abort();
  }

  /**
   * Sends it, before it returns, and waits for the head of an answer that is a success and of the wanted type. Failures go
   * through `explain`.
   */
  async post(url: string, body: string, wanted: RegExp): Promise<Response> {
    const { headers, fetch } = this.#target;
    // A redirect would carry the key and the prompt to a host nobody configured.
    const init: RequestInit = { method: "POST", headers, body, redirect: "manual", signal: this.#abort.signal };
    const response = await this.#silence.during(fetch(url, init));
    this.#answered = true;
    if (!response.ok) throw await this.#refusal(response);
    if (wanted.test(response.headers.get("content-type") ?? "")) return response;
    throw this.failed("answered with something else than was asked for");
  }

  /**
   * Reads the body of a stream; after the last piece `done` is true. Whoever is busy with a piece says so with `pause`, so that
   * a slow client is not taken for a silent provider.
   */
  pieces({ body, url }: Response): NextPiece {
    // An answer that was made here has no address.
    return this.#waiting(body ? new Batches(body, url !== "", this.#abort.signal) : undefined);
  }

  pause(): void {
    this.#silence.pause();
  }

  /** The body was read to its end. */
  ended(): void {
    this.#ended = true;
    this.pause();
  }

  /** The whole body as text. */
  async text(response: Response): Promise<string> {
    return (await this.#start(response, MAX_WHOLE_BYTES)) ?? this.#tooMuch();
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
    if (this.#isCut) return new WaypostError("client_closed", "The call was cancelled.");
    if (this.#cause) return this.#cause;
    if (error instanceof WaypostError) return error;
    if (!this.#answered) return this.#error("provider_unreachable", "could not be reached");
    return this.failed("broke off its answer");
  }

  async #refusal(response: Response): Promise<WaypostError> {
    const body = (await this.#start(response, MAX_ERROR_BYTES)) ?? "";
    const { code, what, extras, waitS } = readRefusal(response, body, "caller");
    this.#cause ??= new ProviderRefusal(code, this.#sentence(what), extras, response.status, waitS);
    return this.#cause;
  }

  #tooMuch(): never {
    throw this.failed("sent more than an answer can hold");
  }

  #error(code: ErrorCode, what: string, extras?: ErrorExtras): WaypostError {
    this.#cause ??= new WaypostError(code, this.#sentence(what), extras);
    return this.#cause;
  }

  readonly #sentence = (what: string): string => `Provider ${this.#info.provider} (model ${this.#info.name}) ${what}.`;

  /** No promise of its own: a stream has thousands of pieces. */
  #waiting(reader: { read: NextPiece } | undefined): NextPiece {
    return () => {
      this.#silence.begin();
      return reader ? reader.read() : Promise.resolve({ done: true, value: undefined });
    };
  }

  /** The body as text; undefined when it is larger than `most` bytes. */
  async #start(response: Response, most: number): Promise<string | undefined> {
    const next = this.#waiting(response.body?.getReader());
    const decoder = new TextDecoder();
    let text = "";
    let bytes = 0;
    for (let piece = await next(); !piece.done; piece = await next()) {
      bytes += piece.value.length;
      if (bytes > most) return undefined;
      text += decoder.decode(piece.value, { stream: true });
    }
    this.ended();
    return text + decoder.decode();
  }
}
