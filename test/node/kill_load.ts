import { setTimeout as sleep } from "node:timers/promises";

/** The load of the kill proof: clients that write, and remember everything the server acknowledged. */

export interface Reply {
  status: number;
  replayed: boolean;
  costNano: number;
  // biome-ignore lint/suspicious/noExplicitAny: a proof reads whatever the server says
  body: any;
}

export type Kind = "documents" | "sync" | "chat" | "free";

/** One request that can be repeated: by its idempotency key, its mutation ids, or because it changes nothing. */
export interface Request {
  kind: Kind;
  path: string;
  body?: object;
  /** Idempotency key. */
  key?: string;
}

export interface Acknowledged {
  request: Request;
  reply: Reply;
  round: number;
}

/** Sends one request and reads the whole answer. Rejects when the connection breaks. */
export async function send(url: string, apiKey: string, request: Request): Promise<Reply> {
  const response = await fetch(url + request.path, {
    method: request.body ? "POST" : "GET",
    headers: {
      authorization: `Bearer ${apiKey}`,
      ...(request.body ? { "content-type": "application/json" } : {}),
      ...(request.key ? { "idempotency-key": request.key } : {}),
    },
    ...(request.body ? { body: JSON.stringify(request.body) } : {}),
    signal: AbortSignal.timeout(30_000),
  });
  return {
    status: response.status,
    replayed: response.headers.has("idempotency-replayed"),
    costNano: Number(response.headers.get("x-waypost-cost-nano-usd") ?? 0),
    body: await response.json(),
  };
}

class Refused extends Error {}

/** A client that sends one request after the other until the server is gone. */
export class Worker {
  readonly acknowledged: Acknowledged[] = [];
  /** Sent, and not known to have been done. */
  pending: Request | null = null;
  readonly #url: string;
  readonly #apiKey: string;
  readonly #requests: Iterator<Request>;

  constructor(url: string, apiKey: string, requests: Iterator<Request>) {
    this.#url = url;
    this.#apiKey = apiKey;
    this.#requests = requests;
  }

  /** Works until the server is killed. One that breaks off or refuses something before ends the proof. */
  async run(round: number, killed: () => boolean): Promise<void> {
    for (;;) {
      this.pending ??= this.#requests.next().value as Request;
      try {
        this.#acknowledge(await send(this.#url, this.#apiKey, this.pending), round);
      } catch (error) {
        if (killed() && !(error instanceof Refused)) return;
        throw error;
      }
    }
  }

  /** Repeats what was not acknowledged until it is. Returns its answer. */
  async retry(round: number): Promise<Reply | null> {
    if (!this.pending) return null;
    const giveUpAt = Date.now() + 60_000;
    for (;;) {
      const reply = await send(this.#url, this.#apiKey, this.pending);
      if (reply.status < 500) {
        this.#acknowledge(reply, round);
        return reply;
      }
      if (Date.now() > giveUpAt) throw new Error(`${this.pending.path} still answers ${reply.status}`);
      await sleep(100);
    }
  }

  #acknowledge(reply: Reply, round: number): void {
    const request = this.pending as Request;
    // What a dying or starting server cannot do is tried again; nothing else may be refused.
    if (reply.status === 503) return;
    if (reply.status !== 200) throw new Refused(`${request.path}: ${reply.status} ${JSON.stringify(reply.body)}`);
    this.acknowledged.push({ request, reply, round });
    this.pending = null;
  }
}

const WORDS = "river stone lantern harbour meadow copper willow summit ember canyon orchard compass".split(" ");

const pick = (random: () => number, most: number): number => 1 + Math.floor(random() * most);

const prose = (random: () => number, words: number): string =>
  Array.from({ length: words }, () => WORDS[Math.floor(random() * WORDS.length)]).join(" ");

/** A word that stands in one document only. */
export const markerOf = (documentId: string): string => `marker${documentId.replaceAll("-", "")}`;

/** New documents, one to three a call, and now and then another text for an old one. */
export function* documentRequests(name: string, random: () => number): Generator<Request> {
  for (let n = 0; ; n++) {
    const documents = Array.from({ length: pick(random, 3) }, (_, i) => document(`${name}-${n}-${i}`, random));
    if (n > 3 && random() < 0.2) documents.push(document(`${name}-${pick(random, n - 1)}-0`, random));
    yield { kind: "documents", path: "/v1/documents", body: { documents }, key: `${name}-${n}` };
  }
}

const document = (id: string, random: () => number) => ({
  id,
  title: `Note ${id}`,
  text: `${markerOf(id)} ${prose(random, pick(random, 400))}`,
});

/** A device that begins sessions and appends to them. */
export function* syncRequests(name: string, random: () => number): Generator<Request> {
  let session_id = "";
  for (let n = 0; ; n++) {
    const push: object[] = [];
    if (n % 20 === 0) {
      session_id = `${name}-s${n}`;
      push.push({ id: `${name}-${n}-c`, kind: "session.create", session_id, title: `Session ${session_id}` });
    }
    const messages = Array.from({ length: pick(random, 4) }, (_, i) => ({
      id: `${name}-${n}-${i}`,
      role: i % 2 === 0 ? "user" : "assistant",
      content: prose(random, pick(random, 60)),
      created_at: new Date().toISOString(),
    }));
    push.push({ id: `${name}-${n}-m`, kind: "message.append", session_id, messages });
    yield { kind: "sync", path: "/v1/sync", body: { device_id: name, push, limit: 1 } };
  }
}

/** Priced chats, every other one in a saved session. */
export function* chatRequests(name: string, random: () => number): Generator<Request> {
  for (let n = 0; ; n++) {
    const session = n % 2 === 0 ? {} : { session_id: `${name}-c${Math.floor(n / 20)}` };
    const message = `${name}-${n}: ${prose(random, pick(random, 40))}`;
    const body = { message, model: "standin/echo", max_tokens: 300, ...session };
    yield { kind: "chat", path: "/v1/chat", body, key: `${name}-${n}` };
  }
}

/** Calls that change nothing and cost nothing. */
export function* freeRequests(random: () => number): Generator<Request> {
  for (;;) {
    const query = prose(random, 2);
    yield { kind: "free", path: "/v1/search", body: { query, limit: 3 } };
    yield { kind: "free", path: "/v1/usage?recent=0" };
  }
}
