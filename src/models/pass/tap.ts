import type { TokenUsage } from "../../ledger/money.ts";
import type { DialectName } from "../dialects/types.ts";
import { StreamedUsage } from "../usage/usage.ts";
import { PassingEvents, type Verdict } from "./events.ts";
import { type BegunResponse, SentEvents } from "./sent.ts";
import { dataOf, objectAt, Places, textsOf, valueAt, WORDS, type Words } from "./words.ts";

const USAGE = '"usage"';
const ERROR = '"error"';

/**
 * Reads off a passing stream what must be known of it: usage, whether it came to its end, whether it failed. Events are
 * parsed only where they report something; nothing is changed but the one event that was asked for on top.
 */
export class StreamTap {
  readonly #words: Words;
  readonly #usage: StreamedUsage;
  readonly #unasked: boolean;
  readonly #said: (text: string) => void;
  readonly #texts: readonly Places[];
  readonly #reasons: Places | undefined;
  readonly #reports = new Places(USAGE);
  readonly #errors = new Places(ERROR);
  readonly #events = new PassingEvents((text, from, end, whole) => this.#look(text, from, end, whole));
  readonly #answers: number;
  /** Indices of the answers that have said why they ended. */
  readonly #ended = new Set<unknown>();
  /** Of a response only: the events of other dialects are not numbered. */
  readonly #sent: SentEvents | undefined;
  #done = false;
  #overloaded = false;

  /**
   * `unasked`: the caller did not ask for the usage of a chat completion, so the event that only holds it is left out.
   * `said`: called with each piece of the answer. `answers`: how many were asked for.
   */
  constructor(dialect: DialectName, unasked: boolean, said: (text: string) => void, answers = 1) {
    this.#words = WORDS[dialect];
    this.#texts = this.#words.text.map((name) => new Places(name));
    this.#reasons = this.#words.reason === undefined ? undefined : new Places(this.#words.reason);
    this.#answers = answers;
    this.#usage = new StreamedUsage(this.#words.usage);
    this.#unasked = unasked;
    this.#said = said;
    this.#sent = dialect === "openai-responses" ? new SentEvents() : undefined;
  }

  push(bytes: Uint8Array): Uint8Array[] {
    return this.#events.push(bytes);
  }

  end(): Uint8Array[] {
    // What is left of a stream that was cut is not sent.
    this.#sent?.close();
    return this.#events.end();
  }

  /** The response that was begun by what `push` let through; undefined in other dialects, and before its first event. */
  get begun(): BegunResponse | undefined {
    return this.#sent?.begun;
  }

  /** The provider told in the stream that it failed; its words about that are held back. */
  get failed(): boolean {
    return this.#events.stopped;
  }

  /** What it told of was too much load. */
  get overloaded(): boolean {
    return this.#overloaded;
  }

  /** The stream has said its last word, or why each of its answers ended: nothing is missing from them. */
  get finished(): boolean {
    return this.#done || this.#ended.size >= this.#answers || (this.#ended.size > 0 && this.#usage.complete);
  }

  /** The provider's report; null when there is none that can be trusted, or it is of a part only. */
  get usage(): TokenUsage | null {
    return this.#usage.complete ? this.#usage.usage : null;
  }

  /** What has been reported so far; null when nothing was. */
  get usageSoFar(): TokenUsage | null {
    return this.#usage.usage;
  }

  #look(text: string, from: number, end: number, whole: boolean): Verdict {
    if (this.#errors.next(text, from, end) >= 0 && this.#failure(text.slice(from, end), whole)) return "stop";
    this.#ends(text, from, end, whole);
    this.#sent?.note(text, from, end, whole);
    let said = false;
    for (const name of this.#texts) said = textsOf(text, from, end, name, this.#said) || said;
    const at = this.#reports.last(text, from, end);
    const isReport = at >= 0 && text[valueAt(text, at + USAGE.length)] === "{";
    if (said && !isReport) return "keep";
    const event = text.slice(from, end);
    if (isReport && this.#report(event, at - from, whole) && this.#unasked) return "drop";
    if (this.#words.last.some((word) => event.includes(word))) this.#done = true;
    return "keep";
  }

  #ends(text: string, from: number, end: number, whole: boolean): void {
    const reasons = this.#reasons;
    if (!reasons) return;
    for (let at = reasons.next(text, from, end); at >= 0; at = reasons.next(text, at + 1, end)) {
      const value = valueAt(text, at + reasons.word.length);
      if (text[value] !== '"' || text[value + 1] === '"') continue;
      if (this.#answers === 1) this.#ended.add(0);
      else for (const index of whole ? endedIn(dataOf(text.slice(from, end))) : []) this.#ended.add(index);
      return;
    }
  }

  #failure(event: string, whole: boolean): boolean {
    const at = event.indexOf(ERROR);
    const after = valueAt(event, at + ERROR.length);
    // As a value it is a type, as a name it may have nothing under it.
    if (after >= 0 && event.startsWith("null", after) && event.indexOf(ERROR, at + 1) < 0) return false;
    const data = whole ? dataOf(event) : undefined;
    if (data === undefined || !this.#words.failed(data)) return false;
    this.#overloaded = this.#words.overloaded?.(data) === true;
    return true;
  }

  /** True when the event holds nothing but the report. */
  #report(event: string, at: number, whole: boolean): boolean {
    const data = whole ? dataOf(event) : undefined;
    if (data) {
      this.#usage.read(data);
      return Array.isArray(data.choices) && data.choices.length === 0;
    }
    const usage = objectAt(event, valueAt(event, at + USAGE.length));
    if (usage) this.#usage.read({ usage });
    return false;
  }
}

/** Indices of the choices of a chunk that say why they ended. */
function endedIn(chunk: Record<string, unknown> | undefined): unknown[] {
  if (!Array.isArray(chunk?.choices)) return [];
  const choices = chunk.choices as ({ index?: unknown; finish_reason?: unknown } | null)[];
  return choices.flatMap((choice) => (choice?.finish_reason ? [choice.index] : []));
}
