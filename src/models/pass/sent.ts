import { dataOf } from "./words.ts";

/** A response whose stream has begun in somebody else's words. */
export interface BegunResponse {
  /** As its first event told it; of one too long to be held, the id at most. */
  response: Record<string, unknown>;
  /** The number of the event that comes next. */
  next: number;
}

const COLON = 58;
const ID = /"response" ?: ?\{ ?"id" ?: ?"([^"\\]{1,200})"/;
const NUMBER = /"sequence_number" ?: ?(\d{1,15})\b/g;

/**
 * Remembers where the first and the last event of a response stand that were sent on, so that a stream that breaks off can be
 * ended in its own name. They are read only then: to be noted costs an event next to nothing.
 */
export class SentEvents {
  #first: { event: string; whole: boolean } | undefined;
  #text = "";
  #from = 0;
  #end = 0;
  #whole = true;
  #closed = false;

  /** Takes note of an event that is sent on now; the arguments are those of `Look`. */
  note(text: string, from: number, end: number, whole: boolean): void {
    if (this.#closed) return;
    if (text.charCodeAt(from) === COLON && !/^data:/m.test(text.slice(from, end))) return;
    this.#first ??= { event: text.slice(from, end), whole };
    this.#text = text;
    this.#from = from;
    this.#end = end;
    this.#whole = whole;
  }

  /** What comes now is not sent. */
  close(): void {
    this.#closed = true;
  }

  /** The response that was begun; undefined while no whole event of it was sent. */
  get begun(): BegunResponse | undefined {
    if (!this.#first) return undefined;
    const { event, whole } = this.#first;
    const last = this.#text.slice(this.#from, this.#end);
    return { response: responseOf(event, whole), next: numberOf(last, this.#whole) + 1 };
  }
}

function responseOf(event: string, whole: boolean): Record<string, unknown> {
  const response = whole ? dataOf(event)?.response : undefined;
  if (typeof response === "object" && response !== null) return response as Record<string, unknown>;
  const id = ID.exec(event)?.[1];
  return id === undefined ? {} : { id };
}

/** An event's number; -1: it has none. */
function numberOf(event: string, whole: boolean): number {
  const told = whole ? dataOf(event)?.sequence_number : [...event.matchAll(NUMBER)].at(-1)?.[1];
  return told !== undefined && Number.isSafeInteger(Number(told)) ? Number(told) : -1;
}
