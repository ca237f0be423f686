import { randomUUID } from "node:crypto";
import type { DemoClient, Receipt } from "./demo_clients.ts";
import { batchesOf, type Library, type Question } from "./demo_documents.ts";

/** Where a step says what it did and what was not as it should be. */
export interface Report {
  line(step: string, text: string): void;
  /** Notes a difference unless the condition holds. */
  check(holds: boolean, difference: string): void;
}

interface ChatReply {
  model: string;
  text: string;
  grounded: boolean;
  citations: { n: number; id: string; title: string }[];
  usage: { input_tokens: number; output_tokens: number };
  cost: { nano_usd: number; usd: string };
}

/** Puts the documents in, by a program. */
export async function indexDocuments(library: Library, client: DemoClient, report: Report): Promise<void> {
  const startedAt = performance.now();
  let chunks = 0;
  let stored = 0;
  for (const documents of batchesOf(library.documents)) {
    const reply = await client.call<{ documents: { chunks: number }[] }>("add_documents", { documents });
    stored += reply.documents.length;
    for (const document of reply.documents) chunks += document.chunks;
  }
  const kib = Math.round(library.documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0) / 1024);
  const skipped = library.skipped.length > 0 ? `, ${count(library.skipped.length, "file")} left out` : "";
  report.line(
    "index",
    `${count(stored, "document")}, ${kib} KiB, ${count(chunks, "passage")} in ${since(startedAt)} (${client.through})${skipped}`,
  );
  report.check(stored === library.documents.length, `${stored} documents were stored, not ${library.documents.length}`);
}

/** Asks every question, the clients taking turns, and reads the best passage of each. */
export async function searchAndFetch(
  questions: readonly Question[],
  library: Library,
  clients: readonly DemoClient[],
  report: Report,
): Promise<void> {
  const posted = new Map(library.documents.map(({ id, text }) => [id, text]));
  const times: number[] = [];
  let found = 0;
  let verbatim = 0;
  let read = 0;
  for (const [i, { text: query, relevant }] of questions.entries()) {
    const client = clients[i % clients.length] as DemoClient;
    const startedAt = performance.now();
    const { results } = await client.call<{ results: { id: string; document_id: string }[] }>("search", {
      query,
      limit: 10,
      kinds: ["document"],
    });
    times.push(performance.now() - startedAt);
    if (results.some(({ document_id }) => relevant.has(document_id))) found++;
    const [best] = results;
    report.check(best !== undefined, `nothing was found for "${query}"`);
    if (!best) continue;
    const passage = await client.call<{ text: string }>("fetch", { id: best.id });
    read++;
    if (posted.get(best.document_id)?.includes(passage.text.trim())) verbatim++;
  }
  times.sort((a, b) => a - b);
  const middle = (times[Math.floor(times.length / 2)] ?? 0).toFixed(0);
  const doors = clients.map(({ through }) => through).join(" and ");
  report.line("search", `${count(questions.length, "question")}, in turn over ${doors}, median ${middle} ms`);
  report.line("", `a right document among the first ten: ${found} of ${questions.length}`);
  report.line("fetch", `${count(read, "passage")} read, ${verbatim} word for word as they were posted`);
  report.check(found > 0, "search found no right document at all");
  report.check(verbatim > 0, "no passage reads as it was posted");
}

/** Asks the model that needs no key; what it says must be in the passages it cites. */
export async function chatGrounded(question: Question, client: DemoClient, report: Report): Promise<void> {
  const input = { message: question.text, model: "local/extractive", grounding: true };
  const reply = await client.call<ChatReply>("chat", input);
  report.line("chat", `"${question.text}" (${reply.model}, ${client.through})`);
  report.line("", `"${cut(reply.text, 150)}"`);
  for (const { n, title, id } of reply.citations) report.line("", `[${n}] ${title} (${id})`);
  report.check(reply.grounded && reply.citations.length > 0, "the grounded answer cites nothing");
  report.check(reply.cost.nano_usd === 0, "the local model was not free");
}

/**
 * Asks a priced model in every way there is: over both protocols, over REST whole and streamed, and twice with one
 * idempotency key, which must answer the same and cost nothing the second time.
 */
export async function chatPriced(
  model: string,
  clients: { rest: DemoClient; agents: readonly DemoClient[] },
  report: Report,
): Promise<void> {
  const message = "Say in one sentence what a waypost is.";
  const input = { message, model, max_tokens: 200 };
  const replies: ChatReply[] = [];
  for (const agent of clients.agents) replies.push(await agent.call<ChatReply>("chat", input));
  replies.push(await clients.rest.call<ChatReply>("chat", { ...input, stream: true }));
  const key = randomUUID();
  const first = await clients.rest.call<ChatReply>("chat", input, key);
  const again = await clients.rest.call<ChatReply>("chat", input, key);
  replies.push(first);
  const nano = replies.reduce((sum, { cost }) => sum + cost.nano_usd, 0);
  const tokens = replies.reduce((sum, { usage }) => sum + usage.input_tokens + usage.output_tokens, 0);
  report.line(
    "chat",
    `${model}: ${replies.length} answers, ${tokens} tokens, ${nano} nano-USD; one repeated for nothing`,
  );
  report.check(
    replies.every(({ cost }) => cost.nano_usd > 0),
    `an answer of ${model} cost nothing`,
  );
  report.check(JSON.stringify(first) === JSON.stringify(again), "a repeated call gave another answer");
}

interface Pulled {
  changes: { kind: string; id: string; session_id?: string; message?: { role: string; content: string } }[];
  cursor: { epoch: string; seq: number };
  outcomes: { status: string }[];
  more: boolean;
}

/** A conversation begun on one device goes on at another and comes back. */
export async function syncSession(laptop: DemoClient, phone: DemoClient, report: Report): Promise<void> {
  const session = `demo-${randomUUID()}`;
  const create = { id: randomUUID(), kind: "session.create", session_id: session, title: "Begun on the laptop" };
  const there = await push(laptop, `laptop-${session}`, [
    create,
    append(session, ["Where were we?", "At the trail's head."]),
  ]);
  const onPhone = await pull(phone, session);
  const back = await push(phone, `phone-${session}`, [append(session, ["And now?", "On the ridge, by the waypost."])]);
  const onLaptop = await pull(laptop, session);
  const outcomes = [...there, ...back];
  report.check(
    outcomes.every((status) => status === "applied"),
    `changes were not applied: ${outcomes.join(", ")}`,
  );
  const said = ["Where were we?", "At the trail's head."];
  const all = [...said, "And now?", "On the ridge, by the waypost."];
  report.check(JSON.stringify(onPhone) === JSON.stringify(said), `the phone has ${JSON.stringify(onPhone)}`);
  report.check(JSON.stringify(onLaptop) === JSON.stringify(all), `the laptop has ${JSON.stringify(onLaptop)}`);
  report.line(
    "sync",
    `${onPhone.length} messages from ${laptop.through} to ${phone.through}, ${back.length * 2} back; both have all ${onLaptop.length}`,
  );
}

function append(session_id: string, texts: readonly string[]) {
  const messages = texts.map((content, i) => ({
    id: randomUUID(),
    role: i % 2 === 0 ? "user" : "assistant",
    content,
    created_at: new Date().toISOString(),
  }));
  return { id: randomUUID(), kind: "message.append", session_id, messages };
}

async function push(client: DemoClient, device_id: string, mutations: object[]): Promise<string[]> {
  const { outcomes } = await client.call<Pulled>("sync_session", { device_id, push: mutations, limit: 1 });
  return outcomes.map(({ status }) => status);
}

/** The session's messages, in the order of the log. */
async function pull(client: DemoClient, session_id: string): Promise<string[]> {
  const texts: string[] = [];
  let cursor: Pulled["cursor"] | undefined;
  for (;;) {
    const page = await client.call<Pulled>("sync_session", { session_id, limit: 100, ...(cursor ? { cursor } : {}) });
    texts.push(...page.changes.flatMap(({ message }) => (message ? [message.content] : [])));
    if (!page.more) return texts;
    cursor = page.cursor;
  }
}

interface Usage {
  month: string;
  total: { calls: number; cost_nano: number };
}

/** What the account has used until now. */
export const readUsage = (client: DemoClient): Promise<Usage> => client.call<Usage>("usage", {});

/**
 * The account's usage must have grown by exactly the calls that were made and by what each of them said it cost. A
 * repeated call is neither counted nor charged again.
 */
export function compareUsage(before: Usage, after: Usage, made: readonly Receipt[], report: Report): void {
  const calls = after.total.calls - before.total.calls;
  const costNano = after.total.cost_nano - before.total.cost_nano;
  const saidCalls = made.filter(({ replayed }) => !replayed).length;
  const saidNano = made.reduce((sum, receipt) => sum + receipt.costNano, 0);
  report.line(
    "usage",
    `${calls} calls, ${costNano} nano-USD; the calls' own answers add up to ${saidCalls} and ${saidNano}`,
  );
  report.check(before.month === after.month, "the month turned during the demo: run it again");
  report.check(costNano === saidNano, `usage grew by ${costNano} nano-USD, the calls said ${saidNano}`);
  report.check(calls === saidCalls, `usage grew by ${calls} calls, ${saidCalls} were made`);
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

const since = (startedAt: number): string => `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;

const cut = (text: string, length: number): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
};
