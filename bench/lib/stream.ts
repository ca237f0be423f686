import { startWaypost } from "../../test/node/harness.ts";
import { type Child, startPortkey, startStreamUpstream } from "./children.ts";
import { quantile } from "./load.ts";
import { cpuMs, residentMb, workerdPids } from "./processes.ts";
import { bundle, serve } from "./workerd.ts";

/** One way to the streaming provider. */
export interface Way {
  name: string;
  url: string;
  headers: Record<string, string>;
  model: (chunks: number) => string;
  /** Its workerd; empty where there is none. */
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

const SIZES = [1, 10, 200, 1_000, 10_000, 100_000];

export async function streamWorld(vars: Record<string, string>): Promise<StreamWorld> {
  const upstream = await startStreamUpstream();
  const portkey = await startPortkey();
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
      pids: [],
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
  /** Milliseconds until the first piece of the answer. */
  firstMs: number;
  bytes: number;
  /** Chunks that hold a piece of the answer. */
  chunks: number;
  ended: boolean;
}

/** One stream, read to its end. `each`: told of the bytes so far. */
export async function stream(way: Way, chunks: number, each?: (bytes: number) => void): Promise<Streamed> {
  const began = performance.now();
  const messages = [{ role: "user", content: "When is high water?" }];
  const response = await fetch(way.url, {
    method: "POST",
    headers: { "content-type": "application/json", ...way.headers },
    body: JSON.stringify({ model: way.model(chunks), messages, stream: true, max_tokens: 200_000 }),
  });
  if (!response.ok || !response.body) throw new Error(`${way.name}: ${response.status} ${await response.text()}`);
  let firstMs = 0;
  let bytes = 0;
  let seen = 0;
  let tail = "";
  for await (const piece of response.body) {
    firstMs ||= performance.now() - began;
    bytes += piece.length;
    const text = tail + Buffer.from(piece).toString("latin1");
    for (let at = text.indexOf("tide"); at >= 0; at = text.indexOf("tide", at + 4)) seen++;
    tail = text.slice(-3);
    each?.(bytes);
  }
  return { firstMs, bytes, chunks: seen, ended: tail.endsWith("\n\n") };
}

/** CPU of workerd for one stream of so many chunks, in milliseconds; the median of `rounds`, each of `count` streams. */
export async function cpuPerStream(way: Way, chunks: number, rounds: number, count: number): Promise<number> {
  const each: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = cpuMs(way.pids);
    for (let i = 0; i < count; i++) await stream(way, chunks);
    each.push((cpuMs(way.pids) - before) / count);
  }
  return quantile(each, 0.5);
}

/** Milliseconds of CPU that 1,000 further chunks of a stream cost one way over another: what a call costs by itself is left out. */
export async function cpuOver(way: Way, other: Way, rounds: number): Promise<number[]> {
  const chunks = async (of: Way) => (await cpuPerStream(of, 1_000, 1, 10)) - (await cpuPerStream(of, 10, 1, 10));
  await chunks(way);
  await chunks(other);
  const each: number[] = [];
  for (let round = 0; round < rounds; round++) each.push((await chunks(way)) - (await chunks(other)));
  return each;
}

/** Whether a way streams at all, and why not. */
export async function streams(way: Way): Promise<string | null> {
  try {
    const { chunks, ended } = await stream(way, 10);
    return chunks === 10 && ended ? null : `it gave ${chunks} of 10 chunks`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Milliseconds to the first piece, of streams one after another: the median. */
export async function firstPiece(way: Way, count: number): Promise<number> {
  const each: number[] = [];
  for (let i = 0; i < count; i++) each.push((await stream(way, 10)).firstMs);
  return quantile(each, 0.5);
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
