import { Dice } from "../fuzz/dice.ts";
import { startUpstream } from "../upstream/server.ts";
import { callIdIn, judged, type Party, question } from "./crosstalk_calls.ts";
import { type ChatterClient, type Kind, openClient } from "./crosstalk_clients.ts";
import { startWaypost, type Waypost } from "./harness.ts";

export interface CrosstalkOptions {
  calls: number;
  clients: number;
  seed: number;
  say?: (line: string) => void;
}

export interface CrosstalkReport {
  calls: number;
  seconds: number;
  /** How long the slowest call took. */
  slowestMs: number;
  /** Calls by kind of client. */
  byKind: Record<string, number>;
  /** Answers that were another question's, or held what is another account's. */
  faults: string[];
}

const ACCOUNTS = 8;
const LIMIT = 1_000_000_000;
const PLANS = JSON.stringify({ open: { minute: LIMIT, hour: LIMIT, day: LIMIT, monthlyTokens: null } });
const MODELS = ["echo", "cut-at-times"];
const PRICE = { input: "1", output: "1" };
const KINDS: readonly Kind[] = [
  "sdk-2026",
  "raw-2026",
  "sdk-2025",
  "raw-2025",
  "sdk-2026",
  "raw-2025",
  "sdk-2025-session",
];
/** More would tell nothing new. */
const FAULTS_SHOWN = 20;

/** Clients of many kinds and several accounts call at the same time, all with the same JSON-RPC ids. */
export async function crosstalk({ calls, clients, seed, say = () => {} }: CrosstalkOptions): Promise<CrosstalkReport> {
  const upstream = await startUpstream();
  const waypost = await startWaypost({
    vars: {
      PLANS,
      MODEL_PROVIDERS: JSON.stringify([
        { id: "paid", base_url: `${upstream.url}/v1`, local: false, models: MODELS.map((name) => ({ name })) },
      ]),
      MODEL_PRICES: JSON.stringify(Object.fromEntries(MODELS.map((name) => [`paid/${name}`, PRICE]))),
    },
  }).catch(async (error) => {
    await upstream.close();
    throw error;
  });
  const opened: ChatterClient[] = [];
  try {
    const parties: Party[] = [];
    for (let i = 0; i < ACCOUNTS; i++) parties.push(await openParty(waypost, i));
    for (let i = 0; i < clients; i++) {
      const { keys } = parties[i % ACCOUNTS] as Party;
      const kind = KINDS[i % KINDS.length] as Kind;
      opened.push(await openClient(kind, waypost.url, keys[Math.floor(i / ACCOUNTS) % keys.length] as string));
    }
    say(`${opened.length} clients are connected`);
    return await speak(opened, parties, { calls, seed, say });
  } finally {
    await Promise.allSettled(opened.map((client) => client.close()));
    await waypost.stop();
    await upstream.close();
  }
}

async function speak(
  clients: readonly ChatterClient[],
  parties: readonly Party[],
  { calls, seed, say }: { calls: number; seed: number; say: (line: string) => void },
): Promise<CrosstalkReport> {
  const faults: string[] = [];
  const byKind: Record<string, number> = {};
  const callIds = new Set<string>();
  const began = performance.now();
  let done = 0;
  let next = 0;
  let slowestMs = 0;
  const one = async (client: ChatterClient, i: number, n: number) => {
    const party = parties[i % parties.length] as Party;
    const others = parties.filter((each) => each !== party);
    const put = question(new Dice(seed, n), party, others, i, n);
    const asked = performance.now();
    const answer = await client.ask(put.asked).catch((error) => `failed: ${error}`);
    slowestMs = Math.max(slowestMs, performance.now() - asked);
    const callId = callIdIn(answer);
    const twice = callId !== undefined && callIds.has(callId) ? `${callId} was told before` : null;
    if (callId) callIds.add(callId);
    const fault = judged(answer, put, party, others) ?? twice;
    if (fault)
      faults.push(`${client.kind} ${put.asked.method} ${JSON.stringify(put.asked.params).slice(0, 200)}: ${fault}`);
    byKind[client.kind] = (byKind[client.kind] ?? 0) + 1;
    if (++done % 10_000 === 0)
      say(`${done} calls, ${faults.length} faults, ${Math.round((performance.now() - began) / 1_000)} s`);
  };
  const lines = clients.flatMap((client, i) =>
    // Each client has two calls under way.
    [0, 1].map(async () => {
      while (next < calls && faults.length < FAULTS_SHOWN) await one(client, i, next++);
    }),
  );
  await Promise.all(lines);
  return { calls: done, seconds: (performance.now() - began) / 1_000, slowestMs, byKind, faults };
}

async function openParty({ url, apiKey }: Waypost, index: number): Promise<Party> {
  const { account } = await post(url, apiKey, "/v1/admin/accounts", { name: `party ${index}`, plan: "open" });
  await post(url, apiKey, `/v1/admin/accounts/${account}/credit`, {
    id: "start",
    nano_usd: 100_000_000_000,
    note: "start",
  });
  const keys: string[] = [];
  for (const name of ["a", "b"]) keys.push((await post(url, apiKey, "/v1/keys", { account, name })).api_key);
  const documents = [{ title: "Canary", text: `A canary sings: canary-${index}-${account}` }];
  const added = await post(url, keys[0] as string, "/v1/documents", { documents });
  return { index, account, keys, documentId: added.documents[0].id };
}

// biome-ignore lint/suspicious/noExplicitAny: a proof reads whatever the server says
async function post(url: string, key: string, path: string, body: object): Promise<any> {
  const response = await fetch(url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer).slice(0, 500)}`);
  return answer;
}
