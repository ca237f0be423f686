import type { DialectName } from "../dialects/types.ts";
import { isOverload } from "../refusals.ts";
import type { Dialect as Reported } from "../usage/usage.ts";
import { utf8 } from "./events.ts";

/** What is looked for in the events of a dialect. */
export interface Words {
  /** Names of the fields that hold new text of the answer, whether it is shown or not. */
  text: readonly string[];
  /** Name of the field that says why an answer ended; it is null, or empty, until then. */
  reason?: string;
  /** An event that holds one of these is the last. */
  last: readonly string[];
  /** Whether an event that mentions an error tells that the answer failed. */
  failed: (event: Record<string, unknown>) => boolean;
  /** Whether one that tells so tells of too much load. */
  overloaded?: (event: Record<string, unknown>) => boolean;
  /** Whose words its usage reports are in. */
  usage: Reported;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

export const WORDS: Record<DialectName, Words> = {
  "openai-chat": {
    text: ['"content"', '"reasoning_content"', '"reasoning"', '"arguments"', '"refusal"'],
    reason: '"finish_reason"',
    last: ["[DONE]"],
    failed: ({ error }) => isObject(error) || typeof error === "string",
    usage: "openai-chat",
  },
  "openai-responses": {
    text: ['"delta"'],
    last: ['"response.completed"', '"response.incomplete"'],
    failed: ({ type }) => type === "error" || type === "response.failed",
    usage: "openai-responses",
  },
  "anthropic-messages": {
    text: ['"text"', '"partial_json"', '"thinking"'],
    reason: '"stop_reason"',
    last: ['"message_stop"'],
    failed: ({ type }) => type === "error",
    overloaded: ({ error }) => isOverload(error),
    usage: "anthropic",
  },
};

/** The quote and, as some letters are as many, the first letter. */
const SKIPPED = 2;

/**
 * The places of a word in quotes in a text, asked for from its beginning on: no part of the text is searched twice. What is
 * searched is the word's rest: quotes are so many in JSON that to stop at each costs ten times as much.
 */
export class Places {
  readonly word: string;
  readonly #rest: string;
  #text = "";
  /** Where the search began, and what it found. */
  #from = 0;
  #at = -1;

  constructor(word: string) {
    this.word = word;
    this.#rest = word.slice(SKIPPED);
  }

  /** The first place that is not before `from`, and before `end`; -1: there is none. */
  next(text: string, from: number, end: number): number {
    if (from < this.#from || (this.#at >= 0 && this.#at < from) || text !== this.#text) {
      this.#text = text;
      this.#from = from;
      this.#at = this.#search(from);
    }
    return this.#at < end ? this.#at : -1;
  }

  #search(from: number): number {
    for (let at = from; ; at++) {
      at = this.#text.indexOf(this.#rest, at + SKIPPED) - SKIPPED;
      if (at < 0) return -1;
      if (this.#text.startsWith(this.word, at)) return at;
    }
  }

  /** The last place in this part of the text; -1: there is none. */
  last(text: string, from: number, end: number): number {
    let last = -1;
    for (let at = this.next(text, from, end); at >= 0; at = this.next(text, at + 1, end)) last = at;
    return last;
  }
}

/** Calls `found` with every text that stands in a field of this name, in this part of a text. Whether there was one. */
export function textsOf(text: string, from: number, end: number, name: Places, found: (text: string) => void): boolean {
  let any = false;
  for (let at = name.next(text, from, end); at >= 0; at = name.next(text, at + 1, end)) {
    const start = valueAt(text, at + name.word.length);
    if (text[start] !== '"') continue;
    const close = Math.min(stringEnd(text, start + 1), end);
    if (close <= start + 1) continue;
    found(unescaped(text.slice(start + 1, close)));
    any = true;
    at = close;
  }
  return any;
}

/** Where the value of a field begins whose name ends at `at`; -1 when no value follows. */
export function valueAt(event: string, at: number): number {
  let i = at;
  while (event[i] === " ") i++;
  if (event[i] !== ":") return -1;
  i++;
  while (event[i] === " ") i++;
  return i;
}

function stringEnd(event: string, from: number): number {
  let end = event.indexOf('"', from);
  while (end >= 0 && isEscaped(event, end)) end = event.indexOf('"', end + 1);
  return end < 0 ? event.length : end;
}

function isEscaped(event: string, at: number): boolean {
  let slashes = 0;
  while (event[at - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
}

function unescaped(literal: string): string {
  if (!SPECIAL.test(literal)) return literal;
  const text = utf8(literal);
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return text;
  }
}

const SPECIAL = /[\\\x80-\xff]/;

/** The JSON of an event's data; undefined when it is none. */
export function dataOf(event: string): Record<string, unknown> | undefined {
  const lines = event.split(/\r\n|\n|\r/).filter((line) => line.startsWith("data:"));
  try {
    const data: unknown = JSON.parse(utf8(lines.map((line) => line.slice(5)).join("\n")));
    return isObject(data) ? data : undefined;
  } catch {
    return undefined;
  }
}

/** The JSON object that begins at `at`; undefined when it does not end. */
export function objectAt(event: string, at: number): unknown {
  let depth = 0;
  for (let i = at; i < event.length; i++) {
    const c = event[i];
    if (c === '"') i = stringEnd(event, i + 1);
    else if (c === "{") depth++;
    else if (c === "}" && --depth === 0) {
      try {
        return JSON.parse(utf8(event.slice(at, i + 1)));
      } catch {
        return undefined;
      }
    }
  }
  return undefined;
}
