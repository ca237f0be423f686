import type { Entries } from "./entries.ts";

/** Admissions of one kind within a trailing window, exactly: never more than the limit in any window of that length. */
export class Admissions {
  readonly #entries: Entries;

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  /**
   * Counts one more if there is room. A refusal counts for nothing.
   * @returns milliseconds until there will be room; 0 = admitted. `expiresAt` is when the record is of no more use.
   */
  admit(kind: string, limit: number, windowMs: number, now = Date.now()): { waitMs: number; expiresAt: number } {
    const name = `admitted:${kind}`;
    const stored = JSON.parse(this.#entries.get(name, now) ?? "[]") as number[];
    const recent = stored.filter((at) => at > now - windowMs);
    const expiresAt = now + windowMs;
    if (recent.length >= limit) {
      const freeing = recent[recent.length - limit];
      return { waitMs: freeing === undefined ? windowMs : freeing + windowMs - now, expiresAt };
    }
    this.#entries.put(name, JSON.stringify([...recent, now]), { expiresAt });
    return { waitMs: 0, expiresAt };
  }
}
