import { startWaypost } from "../../test/node/harness.ts";
import { type Child, startStreamUpstream } from "./children.ts";
import { quantile } from "./load.ts";
import { startPortkey } from "./portkey.ts";
import { cpuMs, residentMb, workerdPids } from "./processes.ts";
import { Wire } from "./wire.ts";
import { bundle, serve } from "./workerd.ts";

/** One way to the streaming provider. */
export interface Way {
  name: string;
  url: string;
  headers: Record<string, string>;
  model: (chunks: number) => string;
  /** The processes that do it; empty where there are none. */
  pids: number[];
}

/** The same stream asked for directly, through bare proxies, through Waypost, and through Portkey's gateway. */
export interface StreamWorld {
  direct: Way;
  /** Through a proxy that looks at nothing, and one that takes each piece in its hands. */
  bare: Way;
  reading: Way;
  governed: Way;
  portkey: Way;
  stop: () => Promise<void>;
}

const SIZES = [10, 200, 1_010, 100_000];

export async function streamWorld(vars: Record<string, string>): Promise<StreamWorld> {
  const upstream = await startStreamUpstream();
  const portkey = await startPortkey({ streams: true });
  const proxy = await serve(bundle("bare_proxy"));
  const bare = workerdPids();
  const waypost = await startWaypost({ vars: { ...vars, ...priced(upstream) } });
  const governed = workerdPids().filter((pid) => !bare.includes(pid));
  const path = "/v1/chat/completions";
  const named = (chunks: number) => `chunks-${chunks}`;
  return {
    direct: { name: "direct", url: upstream.url + path, headers: {}, model: named, pids: [] },
    bare: { name: "bare", url: proxy.url, headers: { "x-upstream": upstream.url + path }, model: named, pids: bare },
    reading: {
      name: "reading",
      url: proxy.url,
      headers: { "x-upstream": upstream.url + path, "x-read": "1" },
      model: named,
      pids: bare,
    },
    governed: {
      name: "governed",
      url: waypost.url + path,
      headers: { authorization: `Bearer ${waypost.apiKey}` },
      model: (chunks) => `bench/${named(chunks)}`,
      pids: governed,
    },
    portkey: {
      name: "portkey",
      url: portkey.url + path,
      headers: {
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": `${upstream.url}/v1`,
        authorization: "Bearer sk-bench",
      },
      model: named,
      pids: [portkey.pid],
    },
    async stop() {
      await Promise.all([waypost.stop(), proxy.stop()]);
      portkey.stop();
      upstream.stop();
    },
  };
}

const priced = ({ url }: Child) => ({
  MODEL_PROVIDERS: JSON.stringify([
    {
      id: "bench",
      base_url: `${url}/v1`,
      api_key: "sk-bench",
      local: false,
      models: SIZES.map((size) => ({ name: `chunks-${size}`, context: 1_000_000, max_output: 200_000 })),
    },
  ]),
  MODEL_PRICES: JSON.stringify(
    Object.fromEntries(SIZES.map((size) => [`bench/chunks-${size}`, { input: "0.01", output: "0.01" }])),
  ),
});

export interface Streamed {
  bytes: number;
  /** Chunks that hold a piece of the answer. */
  chunks: number;
  ended: boolean;
}

const asked = (way: Way, chunks: number) => ({
  headers: { "content-type": "application/json", ...way.headers },
  body: JSON.stringify({
    model: way.model(chunks),
    messages: [{ role: "user", content: "When is high water?" }],
    stream: true,
    max_tokens: 200_000,
  }),
});

/** One stream, read to its end. `each`: told of the bytes so far. */
export async function stream(way: Way, chunks: number, each?: (bytes: number) => void): Promise<Streamed> {
  const response = await fetch(way.url, { method: "POST", ...asked(way, chunks) });
  if (!response.ok || !response.body) throw new Error(`${way.name}: ${response.status} ${await response.text()}`);
  let bytes = 0;
  let seen = 0;
  let tail = "";
  for await (const piece of response.body) {
    bytes += piece.length;
    const text = tail + Buffer.from(piece).toString("latin1");
    for (let at = text.indexOf("tide"); at >= 0; at = text.indexOf("tide", at + 4)) seen++;
    tail = text.slice(-3);
    each?.(bytes);
  }
  return { bytes, chunks: seen, ended: tail.endsWith("\n\n") };
}

/** CPU of one stream of so many chunks, in milliseconds, over `count` of them one after another. */
async function cpuPerStream(way: Way, chunks: number, count: number): Promise<number> {
  const before = cpuMs(way.pids);
  for (let i = 0; i < count; i++) await stream(way, chunks);
  return (cpuMs(way.pids) - before) / count;
}

/** Milliseconds of CPU that 1,000 further chunks of a stream cost: what a call costs by itself is left out. */
async function cpuPerThousand(way: Way): Promise<number> {
  return (await cpuPerStream(way, 1_010, 20)) - (await cpuPerStream(way, 10, 20));
}

/** What 1,000 chunks cost some ways over others, round by round; the ways take turns. */
export async function cpuOver(ways: Way[], others: Way[], rounds: number): Promise<(way: Way, other: Way) => number[]> {
  const taken = new Map([...ways, ...others].map((way) => [way, [] as number[]]));
  for (const way of taken.keys()) await cpuPerThousand(way);
  for (let round = 0; round < rounds; round++) {
    for (const [way, each] of taken) each.push(await cpuPerThousand(way));
  }
  return (way, other) => differences(taken, way, other);
}

/** What ways add to the milliseconds until the first piece comes directly, round by round: medians of 100 streams. */
export async function firstOver(
  ways: Way[],
  direct: Way,
  rounds: number,
  warmUp: number,
): Promise<(way: Way) => number[]> {
  const taken = new Map([direct, ...ways].map((way) => [way, [] as number[]]));
  // What a call goes through has to have run many times before it runs as it does in a server that is up.
  for (const way of taken.keys()) await firstPiece(way, warmUp);
  for (let round = 0; round < rounds; round++) {
    for (const [way, each] of taken) each.push(await firstPiece(way, 100));
  }
  return (way) => differences(taken, way, direct);
}

const differences = (taken: ReadonlyMap<Way, number[]>, way: Way, other: Way): number[] =>
  (taken.get(way) ?? []).map((ms, round) => ms - (taken.get(other)?.[round] ?? Number.NaN));

/** Milliseconds to the first piece, of streams one after another: the median. */
async function firstPiece(way: Way, count: number): Promise<number> {
  const { headers, body } = asked(way, 10);
  const wire = await Wire.open(way.url, "POST", headers, body);
  const each: number[] = [];
  for (let i = 0; i < count; i++) each.push((await wire.ask()).firstMs);
  wire.close();
  return quantile(each, 0.5);
}

/** Streams all at once. */
export interface Crowd {
  /** How many did not come whole. */
  incomplete: number;
  /** Milliseconds of CPU for each. */
  cpuMs: number;
}

export async function crowded(way: Way, count: number, chunks: number): Promise<Crowd> {
  const before = cpuMs(way.pids);
  const whole = async () => {
    const passed = await stream(way, chunks);
    if (!passed.ended || passed.chunks !== chunks) throw new Error(`${passed.chunks} of ${chunks} chunks came`);
  };
  const all = await Promise.allSettled(Array.from({ length: count }, whole));
  const incomplete = all.filter(({ status }) => status === "rejected").length;
  return { incomplete, cpuMs: (cpuMs(way.pids) - before) / count };
}

/** Memory of workerd while a long stream passes: MB after a tenth of it, and the most from there on. */
export async function memoryOver(way: Way, chunks: number): Promise<{ early: number; most: number; chunks: number }> {
  const perChunk = 150;
  let early = 0;
  let most = 0;
  let next = (chunks * perChunk) / 10;
  const passed = await stream(way, chunks, (bytes) => {
    if (bytes < next) return;
    next += (chunks * perChunk) / 50;
    const now = residentMb(way.pids);
    early ||= now;
    most = Math.max(most, now);
  });
  return { early, most, chunks: passed.chunks };
}
