import type { EventStore } from "@modelcontextprotocol/server";

type Message = Parameters<EventStore["storeEvent"]>[1];

interface Entry {
  stream: string;
  at: number;
  message: Message;
  size: number;
}

/** The SDK's name for the stream of what belongs to no request. */
export const LISTENING = "_GET_stream";
/** Characters of messages that are remembered; the newest message is, whatever its length. */
const MOST = 1_048_576;

/**
 * What a session has sent, for clients that come back after a stream broke off: the last megabyte, the oldest forgotten
 * first. In memory: a stream that was cut is taken up within moments or not at all. Ids are of this memory alone, so that
 * none of before a session slept is taken for another.
 */
export class EventLog implements EventStore {
  readonly #life = crypto.randomUUID().slice(0, 8);
  readonly #entries = new Map<string, Entry>();
  #next = 1;
  #size = 0;

  /** Whether everything sent after this event is still there. */
  has(id: string): boolean {
    return this.#entries.has(id);
  }

  get size(): number {
    return this.#size;
  }

  async storeEvent(stream: string, message: Message): Promise<string> {
    const at = this.#next++;
    const id = `${stream === LISTENING ? "listen" : "answer"}-${this.#life}-${at}`;
    const size = JSON.stringify(message).length;
    this.#entries.set(id, { stream, at, message, size });
    this.#size += size;
    for (const [oldest, entry] of this.#entries) {
      if (this.#size <= MOST || oldest === id) break;
      this.#entries.delete(oldest);
      this.#size -= entry.size;
    }
    return id;
  }

  /** Sends what came after an event on its stream. Returns the stream. @throws when the event is not remembered */
  async replayEventsAfter(
    id: string,
    { send }: { send: (id: string, message: Message) => Promise<void> },
  ): Promise<string> {
    const from = this.#entries.get(id);
    if (!from) throw new Error("the event is not remembered");
    for (const [later, { stream, at, message }] of [...this.#entries]) {
      // The first event of a stream has an id to come back to and no message.
      if (at > from.at && stream === from.stream && "jsonrpc" in message) await send(later, message);
    }
    return from.stream;
  }
}

/** Whether an id is of an event that belonged to no request: what was missed of those is not waited for. */
export const isOfListening = (id: string): boolean => id.startsWith("listen-");
