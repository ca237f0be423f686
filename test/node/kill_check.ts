import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ServedRequest } from "../upstream/server.ts";
import { type Acknowledged, markerOf, type Reply, send } from "./kill_load.ts";

/** What must hold after a kill. Every check throws with what it found. */

/** Pico-USD a token and the markup of a cloud model: computed here apart from the product's code. */
const PRICE = { input: 150_000n, output: 600_000n, markup: 10_300n };

/** nano-USD, rounded up. */
export function priceOf(inputTokens: number, outputTokens: number): number {
  const pico = (BigInt(inputTokens) * PRICE.input + BigInt(outputTokens) * PRICE.output) * PRICE.markup;
  return Number((pico + 9_999_999n) / 10_000_000n);
}

export function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

const usageKey = (input: number, output: number): string => `${input}+${output}`;

/** The stand-in provider's answers, by the chat they were asked for. */
export class Served {
  readonly #byName = new Map<string, ServedRequest[]>();
  readonly #log: ServedRequest[];
  #seen = 0;

  constructor(log: ServedRequest[]) {
    this.#log = log;
  }

  /** Takes in what is new. To be called often: the log keeps the bodies of its newest entries only. */
  read(): void {
    for (; this.#seen < this.#log.length; this.#seen++) {
      const entry = this.#log[this.#seen] as ServedRequest;
      const said = entry.body?.messages.findLast(({ role }) => role === "user")?.content;
      must(typeof said === "string", "the stand-in's log was read too late");
      const name = String(said).split(":", 1)[0] as string;
      this.#byName.set(name, [...(this.#byName.get(name) ?? []), entry]);
    }
  }

  /** Answers that were sent whole, and what they would come to. */
  answered(): { answers: number; nano: number } {
    const usages = [...this.#byName.values()]
      .flat()
      .flatMap(({ usage, completed }) => (completed && usage ? [usage] : []));
    const nano = usages.reduce((sum, usage) => sum + priceOf(usage.prompt_tokens, usage.completion_tokens), 0);
    return { answers: usages.length, nano };
  }

  /** Whether one of the answers to this chat had just this usage. */
  had(name: string, input: number, output: number): boolean {
    const usages = (this.#byName.get(name) ?? []).flatMap(({ usage }) => (usage ? [usage] : []));
    return usages.some((usage) => usageKey(usage.prompt_tokens, usage.completion_tokens) === usageKey(input, output));
  }
}

/** Each acknowledged chat says what it was asked to say and costs what the provider counted for it. Returns the sum. */
export function checkChats(chats: readonly Acknowledged[], served: Served): number {
  let sum = 0;
  for (const { request, reply } of chats) {
    const { message } = request.body as { message: string };
    const { usage, cost, text } = reply.body;
    const name = request.key as string;
    must(text === `You said: ${message}`, `${name} was answered with something else`);
    must(served.had(name, usage.input_tokens, usage.output_tokens), `${name}: the provider counted other tokens`);
    const price = priceOf(usage.input_tokens, usage.output_tokens);
    must(cost.nano_usd === price, `${name} cost ${cost.nano_usd}, its tokens are worth ${price}`);
    must(reply.costNano === (reply.replayed ? 0 : price), `${name}: the header says ${reply.costNano}`);
    sum += price;
  }
  return sum;
}

/** The newest text of each acknowledged document can be read, and found by a word only it has. */
export async function checkDocuments(documents: readonly Acknowledged[], url: string, apiKey: string): Promise<number> {
  const latest = new Map<string, string>();
  for (const { request } of documents) {
    for (const { id, text } of (request.body as { documents: { id: string; text: string }[] }).documents)
      latest.set(id, text);
  }
  for (const [id, text] of latest) {
    const read = await ask(url, apiKey, "/v1/fetch", { id });
    must(read.body.text === text, `document ${id} has another text`);
    const found = await ask(url, apiKey, "/v1/search", { query: markerOf(id), limit: 5, kinds: ["document"] });
    const ids = new Set(found.body.results.map((hit: { document_id: string }) => hit.document_id));
    must(ids.size === 1 && ids.has(id), `document ${id} is not found by its word`);
  }
  return latest.size;
}

interface Change {
  seq: number;
  kind: string;
  id: string;
  session_id?: string;
  message?: { role: string; content: string };
}

/** A device that only reads, with a cursor it keeps through every kill. */
export class Mirror {
  readonly sessions = new Set<string>();
  readonly documents = new Set<string>();
  readonly messages = new Map<string, { session: string; content: string; seq: number }>();
  #cursor: { epoch: string; seq: number } | undefined;

  async pull(url: string, apiKey: string): Promise<void> {
    for (;;) {
      const cursor = this.#cursor ? { cursor: this.#cursor } : {};
      const { body } = await ask(url, apiKey, "/v1/sync", { ...cursor, limit: 500 });
      for (const change of body.changes as Change[]) this.#take(change);
      this.#cursor = body.cursor;
      if (!body.more) return;
    }
  }

  #take({ kind, id, session_id, message, seq }: Change): void {
    if (kind === "session") this.sessions.add(id);
    if (kind === "document") this.documents.add(id);
    if (kind === "message") {
      const { session, content } = { session: session_id ?? "", content: message?.content ?? "" };
      this.messages.set(id, { session, content, seq });
    }
  }
}

/** Everything pushed and acknowledged is in the log: sessions, and their messages once each, in the order sent. */
export function checkSessions(pushes: readonly Acknowledged[], mirror: Mirror): { sessions: number; messages: number } {
  const sessions = new Set<string>();
  const last = new Map<string, number>();
  let messages = 0;
  for (const { request, reply } of pushes) {
    for (const { id, status } of reply.body.outcomes) must(/^(applied|duplicate)$/.test(status), `${id} was ${status}`);
    for (const mutation of (request.body as { push: Mutation[] }).push) {
      const session = mutation.session_id;
      must(mirror.sessions.has(session), `session ${session} is not there`);
      sessions.add(session);
      for (const { id, content } of mutation.messages ?? []) {
        const stored = mirror.messages.get(id);
        must(stored?.session === session && stored.content === content, `message ${id} is not there as it was sent`);
        must((stored?.seq ?? 0) > (last.get(session) ?? 0), `message ${id} is out of order`);
        last.set(session, stored?.seq ?? 0);
        messages++;
      }
    }
  }
  return { sessions: sessions.size, messages };
}
interface Mutation {
  session_id: string;
  messages?: { id: string; content: string }[];
}

/** Every chat in a session is stored there once: what was said and what was answered. */
export function checkTurns(chats: readonly Acknowledged[], mirror: Mirror): number {
  const stored = new Map<string, string[]>();
  for (const { session, content } of mirror.messages.values()) {
    stored.set(session, [...(stored.get(session) ?? []), content]);
  }
  const expected = new Map<string, string[]>();
  for (const { request, reply } of chats) {
    const { session_id, message } = request.body as { session_id?: string; message: string };
    if (!session_id) continue;
    expected.set(session_id, [...(expected.get(session_id) ?? []), message, reply.body.text]);
  }
  for (const [session, contents] of expected) {
    const there = (stored.get(session) ?? []).toSorted();
    must(JSON.stringify(there) === JSON.stringify(contents.toSorted()), `session ${session} holds other turns`);
  }
  return expected.size;
}

export interface Books {
  balance_nano: number;
  reserved_nano: number;
  open_holds: number;
  settled_cost_nano: number;
  entries: number;
  outbox_pending: number;
  consistent: boolean;
}

export async function readBooks(url: string, ownerKey: string, account: string): Promise<Books> {
  return (await ask(url, ownerKey, `/v1/admin/accounts/${account}`)).body.books;
}

/** A call that must succeed. */
export async function ask(url: string, apiKey: string, path: string, body?: object): Promise<Reply> {
  const reply = await send(url, apiKey, { kind: "free", path, body });
  must(reply.status === 200, `${path} answered ${reply.status} ${JSON.stringify(reply.body)}`);
  return reply;
}

/** The account's books in D1, read from its file while the server is stopped. */
export function readD1(
  state: string,
  account: string,
): { charged: number; cost: number; credit: number; month: number } {
  const dir = join(state, "store/d1/miniflare-D1DatabaseObject");
  const [file] = readdirSync(dir).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  const database = new DatabaseSync(join(dir, file as string));
  try {
    const one = (query: string) => database.prepare(query).get(account) as Record<string, number>;
    const records = one(
      "SELECT sum(cost_nano > 0) AS charged, sum(cost_nano) AS cost, sum(credit_nano) AS credit FROM usage_records WHERE account = ?",
    );
    const { month } = one("SELECT sum(cost_nano) AS month FROM monthly_usage WHERE account = ?");
    const { charged, cost, credit } = records;
    return { charged: charged ?? 0, cost: cost ?? 0, credit: credit ?? 0, month: month ?? 0 };
  } finally {
    database.close();
  }
}
