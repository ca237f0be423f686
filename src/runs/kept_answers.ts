import type { Entry } from "./answer_log.ts";

/** How long a finished answer can still be read by a client that lost its stream. */
export const KEPT_MS = 600_000;
/** What one value of the store can hold is 2 MB; an answer larger than this (characters) is not kept. */
const LARGEST = 600_000;

export interface KeptAnswer {
  user: string;
  entries: Entry[];
  /** The last event, as it is sent. */
  last: string;
  costNano: number;
}

const answerKey = (callId: string): string => `answer:${callId}`;
/** Sorted by time: a number of as many digits until the year 2286. */
const expiryKey = (at: number, callId: string): string => `expiry:${at}:${callId}`;

/** Answers of calls that have ended, in the object's own store. Losing one costs a reader its place, so no answer waits for the disk. */
export class KeptAnswers {
  readonly #storage: DurableObjectStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  async put(callId: string, answer: KeptAnswer): Promise<void> {
    const text = JSON.stringify(answer);
    if (text.length > LARGEST) return;
    const unconfirmed = { allowUnconfirmed: true };
    await this.#storage.put({ [answerKey(callId)]: text, [expiryKey(Date.now() + KEPT_MS, callId)]: "" }, unconfirmed);
  }

  async get(callId: string): Promise<KeptAnswer | undefined> {
    const text = await this.#storage.get<string>(answerKey(callId));
    return text === undefined ? undefined : (JSON.parse(text) as KeptAnswer);
  }

  /** Deletes what has expired. Returns when the next one expires; null: there is none. */
  async purge(now: number): Promise<number | null> {
    for (;;) {
      const due = await this.#storage.list({ prefix: "expiry:", end: `expiry:${now}`, limit: 60 });
      if (due.size === 0) break;
      const keys = [...due.keys()];
      await this.#storage.delete([...keys, ...keys.map((key) => answerKey(key.split(":")[2] ?? ""))]);
    }
    const [next] = (await this.#storage.list({ prefix: "expiry:", limit: 1 })).keys();
    return next === undefined ? null : Number(next.split(":")[1]);
  }
}
