import type { CallEvent } from "../tools/define.ts";

/** Pieces are joined up to this size (characters), so that a long answer is a few strings and not thousands. */
const BLOCK = 4_096;

export type Progress = Omit<Extract<CallEvent, { type: "progress" }>, "type">;

/** What happened at a place of the log. A text takes as many places as it has characters, a progress takes one. */
export type Entry = { at: number; text: string } | { at: number; progress: Progress };

/**
 * Everything a call has sent so far, by place. Who has read to a place can go on from there, however the pieces were joined
 * for them: so it needs no list of pieces, only the text.
 */
export class AnswerLog {
  readonly #entries: Entry[] = [];
  readonly #watchers = new Set<() => void>();
  #length = 0;

  static of(entries: Entry[]): AnswerLog {
    const log = new AnswerLog();
    for (const entry of entries) log.#push(entry);
    return log;
  }

  /** The place after the last one. */
  get length(): number {
    return this.#length;
  }
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  add(event: CallEvent): void {
    if (event.type === "bytes" || (event.type === "delta" && event.text === "")) return;
    if (event.type === "progress") {
      const { type: _, ...progress } = event;
      this.#push({ at: this.#length, progress });
    } else {
      const last = this.#entries.at(-1);
      if (last && "text" in last && last.text.length + event.text.length <= BLOCK) {
        last.text += event.text;
        this.#length += event.text.length;
      } else this.#push({ at: this.#length, text: event.text });
    }
    this.wake();
  }

  /** What is there from a place on: a text of at most about `most` characters, or one progress; undefined: nothing yet. */
  read(from: number, most: number): { entry: Entry; next: number } | undefined {
    let i = this.#indexOf(from);
    const first = this.#entries[i];
    if (!first || from >= this.#length) return undefined;
    if ("progress" in first) return { entry: first, next: first.at + 1 };
    let text = first.text.slice(from - first.at);
    for (let next = this.#entries[++i]; next && "text" in next && text.length < most; next = this.#entries[++i]) {
      text += next.text;
    }
    return { entry: { at: from, text }, next: from + text.length };
  }

  /** Calls `wake` whenever something was added. Returns how to stop it. */
  watch(wake: () => void): () => void {
    this.#watchers.add(wake);
    return () => this.#watchers.delete(wake);
  }

  wake(): void {
    for (const wake of this.#watchers) wake();
  }

  #push(entry: Entry): void {
    this.#entries.push(entry);
    this.#length = entry.at + ("text" in entry ? entry.text.length : 1);
  }

  /** The last entry that begins at or before a place. Readers are mostly at the end. */
  #indexOf(place: number): number {
    let low = 0;
    let high = this.#entries.length - 1;
    if (high >= 0 && (this.#entries[high] as Entry).at <= place) return high;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#entries[middle] as Entry).at <= place) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
