import { head, since } from "./changes.ts";
import type { Cursor } from "./types.ts";

/** What has changed, by id, for whoever has read it and may want to read it again. */
export interface News {
  /** Where the log stood: what to ask for news after. */
  cursor: Cursor;
  /** Sessions that changed or were written in, and documents. */
  sessions: string[];
  documents: string[];
  /** Sessions or documents themselves came, went or were named anew. */
  listed: boolean;
  templates: boolean;
  /** Too much to name, or the history is another one: anything may have changed. */
  all: boolean;
}

/** Names in one piece of news. */
const MOST_NAMED = 500;
/** Those who watch one vault at a time. */
const MOST_WATCHERS = 64;
const TAG = "watch";

/**
 * Sockets of those who are told what changes in a vault. They outlive the object's memory: between two changes it costs
 * nothing to be watched.
 */
export class Watchers {
  readonly #ctx: DurableObjectState;
  #told: Cursor;
  #due = false;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    this.#told = head(ctx.storage);
  }

  /** A socket on which the news come as JSON, the first at once. 429 when there are too many. */
  accept(request: Request): Response {
    const watching = this.#ctx.getWebSockets(TAG).length;
    if (watching >= MOST_WATCHERS) return new Response(null, { status: 429 });
    this.#tellChanges();
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [TAG]);
    const after = request.headers.get("X-After");
    const now = head(this.#ctx.storage);
    this.#told = now;
    const news = this.#newsAfter(after === null ? now : (JSON.parse(after) as Cursor), now);
    // Templates have no history: who was away may have missed some.
    server.send(JSON.stringify(after === null ? news : { ...news, templates: true }));
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Something was logged, in a transaction that may not be committed yet. */
  changed(): void {
    if (this.#due) return;
    this.#due = true;
    queueMicrotask(() => {
      this.#due = false;
      this.#tellChanges();
    });
  }

  /** The prompt templates are not in the log. */
  templatesChanged(): void {
    this.#tell({ ...nothing(head(this.#ctx.storage)), templates: true });
  }

  #tellChanges(): void {
    const from = this.#told;
    this.#told = head(this.#ctx.storage);
    if (this.#told.seq !== from.seq || this.#told.epoch !== from.epoch) {
      if (this.#ctx.getWebSockets(TAG).length > 0) this.#tell(this.#newsAfter(from, this.#told));
    }
  }

  #newsAfter(from: Cursor, now: Cursor): News {
    const news = nothing(now);
    if (from.epoch !== now.epoch || from.seq > now.seq) return { ...news, all: true };
    if (from.seq === now.seq) return news;
    const entries = since(this.#ctx.storage, from.seq, MOST_NAMED + 1);
    if (entries.length > MOST_NAMED) return { ...news, all: true };
    const named = (kind: "session_id" | "entity", of: typeof entries) => [
      ...new Set(of.map((each) => each[kind] ?? "")),
    ];
    return {
      ...news,
      sessions: named(
        "session_id",
        entries.filter(({ session_id }) => session_id !== null),
      ),
      documents: named(
        "entity",
        entries.filter(({ kind }) => kind === "document"),
      ),
      listed: entries.some(({ kind }) => kind !== "message"),
    };
  }

  #tell(news: News): void {
    const text = JSON.stringify(news);
    for (const socket of this.#ctx.getWebSockets(TAG)) {
      try {
        socket.send(text);
      } catch {
        // It is closing; who comes back says what was heard last.
      }
    }
  }
}

const nothing = (cursor: Cursor): News => ({
  cursor,
  sessions: [],
  documents: [],
  listed: false,
  templates: false,
  all: false,
});
