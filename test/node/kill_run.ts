import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { randomFrom } from "../random.ts";
import { startUpstream } from "../upstream/server.ts";
import { startWaypost, type Waypost } from "./harness.ts";
import {
  ask,
  type Books,
  checkChats,
  checkDocuments,
  checkSessions,
  checkTurns,
  Mirror,
  must,
  readBooks,
  readD1,
  Served,
} from "./kill_check.ts";
import {
  type Acknowledged,
  chatRequests,
  documentRequests,
  freeRequests,
  type Kind,
  type Reply,
  type Request,
  send,
  syncRequests,
  Worker,
} from "./kill_load.ts";

/**
 * The kill proof: clients write as fast as they can, every process of the server is killed at a random moment, it starts again
 * on the same state, the clients repeat what was not acknowledged, and everything acknowledged must be there, once.
 */

export interface KillOptions {
  rounds: number;
  seed: number;
  /** Also wait until the holds of the calls that were cut off have expired, three minutes after the last kill. */
  untilHoldsExpire: boolean;
  print: (line: string) => void;
}

const CREDIT_NANO = 50_000_000_000;
/** Small, so that the account goes over from the plan's tokens to its credit on the way. */
const MONTHLY_TOKENS = 30_000;
const LEASE_MS = 180_000;
const CHAT_WORKERS = 4;
const MANY = 100;

interface Proof {
  waypost: Waypost;
  account: string;
  key: string;
  served: Served;
  mirror: Mirror;
  workers: Worker[];
  /** When each kill was, and the chats that were under way then. */
  kills: { at: number; chats: number }[];
  random: () => number;
}

/** Runs the proof. Rejects with the first thing that is not as it must be. */
export async function proveKill({ rounds, seed, untilHoldsExpire, print }: KillOptions): Promise<void> {
  const state = mkdtempSync(join(tmpdir(), "waypost-kill-"));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rmSync(state, { recursive: true, force: true, maxRetries: 5 }));
  const upstream = await startUpstream();
  stack.defer(() => upstream.close());
  const waypost = await startWaypost({ state, vars: settings(upstream.url) });
  stack.defer(async () => void (await waypost.stop()));
  const { account, key } = await openAccount(waypost);
  const random = randomFrom(seed);
  const served = new Served(upstream.log);
  const reading = setInterval(() => served.read(), 20);
  stack.defer(() => clearInterval(reading));
  const workers = crew(waypost.url, key, seed);
  const proof: Proof = { waypost, account, key, served, mirror: new Mirror(), workers, kills: [], random };
  for (let round = 1; round <= rounds; round++) print(await killOnce(proof, round));
  for (const line of await checkEverything(proof, untilHoldsExpire)) print(line);
}

const settings = (upstream: string) => ({
  PLANS: JSON.stringify({
    proof: { minute: 10_000_000, hour: 10_000_000, day: 10_000_000, monthlyTokens: MONTHLY_TOKENS },
  }),
  MODEL_PROVIDERS: JSON.stringify([
    { id: "standin", base_url: `${upstream}/v1`, local: false, models: [{ name: "echo", context: 32_000 }] },
  ]),
  MODEL_PRICES: JSON.stringify({ "standin/echo": { input: "0.15", output: "0.60" } }),
});

async function openAccount({ url, apiKey }: Waypost): Promise<{ account: string; key: string }> {
  const { account } = (await ask(url, apiKey, "/v1/admin/accounts", { name: "proof", plan: "proof" })).body;
  const key = (await ask(url, apiKey, "/v1/keys", { account, name: "proof" })).body.api_key;
  await ask(url, apiKey, `/v1/admin/accounts/${account}/credit`, { id: "start", nano_usd: CREDIT_NANO });
  return { account, key };
}

function crew(url: string, key: string, seed: number): Worker[] {
  const random = (n: number) => randomFrom(seed * 1_000 + n);
  const requests: Iterator<Request>[] = [
    documentRequests("d1", random(1)),
    documentRequests("d2", random(2)),
    syncRequests("s1", random(3)),
    syncRequests("s2", random(4)),
    freeRequests(random(5)),
    freeRequests(random(6)),
    ...Array.from({ length: CHAT_WORKERS }, (_, i) => chatRequests(`c${i}`, random(10 + i))),
  ];
  return requests.map((each) => new Worker(url, key, each));
}

const allOf = (workers: readonly Worker[], kind: Kind): Acknowledged[] =>
  workers.flatMap(({ acknowledged }) => acknowledged.filter(({ request }) => request.kind === kind));

/** One round: load, kill, start, repeat, check. Returns a line about it. */
async function killOnce(proof: Proof, round: number): Promise<string> {
  const { waypost, workers, kills, random } = proof;
  const before = countOf(workers);
  let killed = false;
  const running = Promise.all(workers.map((worker) => worker.run(round, () => killed)));
  const after = 400 + Math.floor(random() * 2_600);
  await Promise.race([sleep(after), running]);
  killed = true;
  await waypost.kill();
  await running;
  kills.push({ at: Date.now(), chats: workers.filter(({ pending }) => pending?.kind === "chat").length });
  const acknowledged = countOf(workers) - before;
  await waypost.restart();
  const answers = await Promise.all(workers.map((worker) => worker.retry(round)));
  const repeated = answers.filter((reply) => reply !== null);
  const done = repeated.filter(({ replayed, body }) => replayed || body.outcomes?.[0]?.status === "duplicate").length;
  await checkRound(proof, round);
  return `round ${round}: killed after ${after} ms and ${acknowledged} acknowledged calls; ${repeated.length} repeated, ${done} of them had been done`;
}

async function checkRound(proof: Proof, round: number): Promise<void> {
  const { waypost, key, mirror, workers } = proof;
  const chats = allOf(workers, "chat");
  const books = await checkMoney(proof);
  const cutOff = proof.kills.filter(({ at }) => at > Date.now() - LEASE_MS - 5_000);
  const most = cutOff.reduce((sum, kill) => sum + kill.chats, 0);
  must(books.open_holds <= most, `${books.open_holds} holds are open, ${most} chats were cut off`);
  await mirror.pull(waypost.url, key);
  checkSessions(allOf(workers, "sync"), mirror);
  checkTurns(chats, mirror);
  const documents = allOf(workers, "documents").filter((each) => each.round === round);
  await checkDocuments(documents, waypost.url, key);
  await oneOfMany(proof, round);
  for (let i = 0; i < 5; i++) {
    await repeatAcknowledged(proof, chats[Math.floor(proof.random() * chats.length)] as Acknowledged);
  }
}

/** The ledger has charged exactly what was acknowledged: by now every chat is. */
async function checkMoney({ waypost, account, served, workers }: Proof): Promise<Books> {
  served.read();
  const cost = checkChats(allOf(workers, "chat"), served);
  const books = await readBooks(waypost.url, waypost.apiKey, account);
  must(books.consistent, `the ledger disagrees with its entries: ${JSON.stringify(books)}`);
  must(books.settled_cost_nano === cost, `settled ${books.settled_cost_nano}, acknowledged ${cost} nano-USD`);
  return books;
}

/** A chat acknowledged before the kill, repeated after it, gives the same answer and costs nothing. */
async function repeatAcknowledged({ waypost, key }: Proof, { request, reply }: Acknowledged): Promise<void> {
  const again = await send(waypost.url, key, request);
  must(again.replayed && again.costNano === 0, `${request.key} ran again`);
  must(JSON.stringify(again.body) === JSON.stringify(reply.body), `${request.key} got another answer`);
}

/** The same call 100 times at once: one runs and is charged, all get its answer; another body with its key is refused. */
async function oneOfMany({ waypost, key, served, workers }: Proof, round: number): Promise<void> {
  const name = `many-${round}`;
  const body = { message: `${name}: together`, model: "standin/echo", max_tokens: 100 };
  const request: Request = { kind: "chat", path: "/v1/chat", body, key: name };
  const replies = await Promise.all(Array.from({ length: MANY }, () => send(waypost.url, key, request)));
  const [first, ...more] = replies.filter(({ replayed }) => !replayed);
  must(first !== undefined && more.length === 0, `${1 + more.length} of ${MANY} calls with one key ran`);
  for (const { status, body: answer } of replies) {
    must(status === 200, `one of ${MANY} calls with one key answered ${status}`);
    must(JSON.stringify(answer) === JSON.stringify(first?.body), `calls with the key ${name} got different answers`);
  }
  const other = await send(waypost.url, key, { ...request, body: { ...body, message: `${name}: otherwise` } });
  must(other.body.code === "idempotency_conflict", `another body with the key ${name} answered ${other.status}`);
  served.read();
  workers[0]?.acknowledged.push({ request, reply: first as Reply, round });
}

async function checkEverything(proof: Proof, untilHoldsExpire: boolean): Promise<string[]> {
  const { waypost, account, key, served, workers, mirror } = proof;
  const chats = allOf(workers, "chat");
  const documents = await checkDocuments(allOf(workers, "documents"), waypost.url, key);
  const fresh = new Mirror();
  await fresh.pull(waypost.url, key);
  must(
    sameEntries(fresh.messages, mirror.messages),
    "a device that pulls anew has other messages than one that followed",
  );
  const synced = checkSessions(allOf(workers, "sync"), fresh);
  const turns = checkTurns(chats, fresh);

  const usage = (await ask(waypost.url, key, "/v1/usage?recent=0")).body;
  const settled = await settle(proof, untilHoldsExpire);
  must(usage.total.cost_nano === settled.settled_cost_nano, `usage says ${usage.total.cost_nano} nano-USD`);
  await waypost.stop();
  const d1 = readD1(waypost.state, account);
  must(d1.cost === settled.settled_cost_nano, `D1 has ${d1.cost} nano-USD, the ledger ${settled.settled_cost_nano}`);
  must(d1.month === settled.settled_cost_nano, `D1's month has ${d1.month}, the ledger ${settled.settled_cost_nano}`);
  must(d1.charged === chats.length, `D1 has ${d1.charged} charges, ${chats.length} chats were acknowledged`);
  must(CREDIT_NANO - d1.credit === settled.balance_nano, `the credit left is ${settled.balance_nano}`);

  const { answers, nano } = served.answered();
  const unbilled = answers - chats.length;
  const cutOff = proof.kills.reduce((sum, kill) => sum + kill.chats, 0);
  must(unbilled >= 0 && unbilled <= cutOff, `${unbilled} answers are unbilled, ${cutOff} chats were cut off`);
  return [
    `there: ${documents} documents, ${synced.messages} messages in ${synced.sessions} sessions, the turns of ${turns} chat sessions`,
    `charged: ${chats.length} chats, ${settled.settled_cost_nano} nano-USD (${d1.credit} from credit), the same in ledger, usage, D1 and the provider's log`,
    `answered by the provider and lost with the process, so not charged: ${unbilled} of ${answers} answers, ${nano - settled.settled_cost_nano} nano-USD`,
    `holds open: ${settled.open_holds}, ${settled.reserved_nano} nano-USD; entries: ${settled.entries}`,
  ];
}

/** Waits until the outbox is empty, and if wanted until no hold is open; the books must agree all the while. */
async function settle(proof: Proof, untilHoldsExpire: boolean): Promise<Books> {
  const giveUpAt = Date.now() + (untilHoldsExpire ? LEASE_MS : 0) + 90_000;
  for (;;) {
    const books = await checkMoney(proof);
    const held = untilHoldsExpire && books.open_holds > 0;
    if (books.outbox_pending === 0 && !held) {
      must(!untilHoldsExpire || books.reserved_nano === 0, `${books.reserved_nano} nano-USD are held by nothing`);
      return books;
    }
    must(Date.now() < giveUpAt, `it does not come to rest: ${JSON.stringify(books)}`);
    await sleep(1_000);
  }
}

const countOf = (workers: readonly Worker[]): number =>
  workers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);

const sameEntries = (a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean =>
  JSON.stringify([...a].toSorted()) === JSON.stringify([...b].toSorted());
