import type { EventStore } from "@modelcontextprotocol/server";

type Message = Parameters<EventStore["storeEvent"]>[1];

interface Entry {
  stream: string;
  message: Message;
  size: number;
}

/** Characters of messages that are remembered; the newest message is, whatever its length. */
const MOST = 1_048_576;

/**
 * What a session has sent, for clients that come back after a stream broke off: the last megabyte, the oldest forgotten
 * first. In memory: a stream that was cut is taken up within moments or not at all.
 */
export class EventLog implements EventStore {
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
    const id = String(this.#next++);
    const size = JSON.stringify(message).length;
    this.#entries.set(id, { stream, message, size });
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
    for (const [later, { stream, message }] of [...this.#entries]) {
      // The first event of a stream has an id to come back to and no message.
      if (Number(later) > Number(id) && stream === from.stream && "jsonrpc" in message) await send(later, message);
    }
    return from.stream;
  }
}
