import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "../scripts/lib/build.ts";
import { startWaypost } from "../test/node/harness.ts";
import { longLedger } from "./ledger.ts";
import { chatWorld } from "./lib/chat.ts";
import { workerdCpuMs } from "./lib/cpu.ts";
import { latency, load, quantile, type Round, type Target } from "./lib/load.ts";
import { COMPARED, ERAS, OWN, rpc } from "./lib/mcp.ts";
import { cpuOver, crowded, firstOver, memoryOver, streamWorld } from "./lib/stream.ts";
import { bundle as bundleOf, serve } from "./lib/workerd.ts";

/**
 * Ratios within one run: workerd is addressed directly, the governed product and the bare server take turns, and the
 * median of the rounds counts. Absolute figures depend on the machine and its load.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    connections: { type: "string", default: "16" },
    /** One part of it, by its name in `parts`. */
    only: { type: "string" },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const connections = Number(values.connections);

/** A plan that never refuses, so that what is measured is the work and not the limits. */
const PLANS = JSON.stringify({
  enterprise: { minute: 100_000_000, hour: 1_000_000_000, day: 10_000_000_000, monthlyTokens: null },
});

let missed = 0;

function report(name: string, ratio: number, goal: number, detail: string, atMost = false): void {
  const reached = atMost ? ratio <= goal : ratio >= goal;
  if (!reached) missed++;
  console.log(
    `${reached ? "ok  " : "MISS"}  ${name.padEnd(46)} ${ratio.toFixed(3)}  (goal ${atMost ? "≤" : "≥"} ${goal})  ${detail}`,
  );
}

/** A tool that refuses says so in a 200 and is quick: such an answer would be compared with work that was done. */
async function expectSuccess({ name, url, method = "GET", headers = {}, body }: Target): Promise<void> {
  const answer = await (await fetch(url, { method, headers, ...(body ? { body } : {}) })).text();
  if (/"isError":true|"error":\{/.test(answer))
    throw new Error(`${name} answers with an error: ${answer.slice(0, 300)}`);
}

async function compare(name: string, governed: Target, bare: Target, goal: number): Promise<void> {
  for (const target of [governed, bare]) await expectSuccess(target);
  const taken: { governed: Round; bare: Round }[] = [];
  await load(governed, connections, 2);
  await load(bare, connections, 2);
  for (let i = 0; i < rounds; i++) {
    taken.push({ governed: await load(governed, connections, seconds), bare: await load(bare, connections, seconds) });
  }
  const ratio = quantile(
    taken.map((round) => round.governed.rps / round.bare.rps),
    0.5,
  );
  const rps = (side: "governed" | "bare") =>
    Math.round(
      quantile(
        taken.map((round) => round[side].rps),
        0.5,
      ),
    );
  const one = { governed: await latency(governed, 1_000), bare: await latency(bare, 1_000) };
  const ms = ({ p50, p99 }: { p50: number; p99: number }) => `p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms`;
  report(
    name,
    ratio,
    goal,
    `${rps("governed")} / ${rps("bare")} requests/s; one at a time ${ms(one.governed)} / ${ms(one.bare)}`,
  );
}

/** CPU that starting the bundle costs over starting an empty worker, and the bundle's size. */
async function coldStart(): Promise<void> {
  const out = mkdtempSync(join(tmpdir(), "waypost-bench-"));
  const modules = await build(join(import.meta.dirname, ".."), out, new AbortController().signal);
  const cost = async (worker: Parameters<typeof serve>[0], path: string) => {
    const server = await serve(worker);
    await (await fetch(server.url + path)).arrayBuffer();
    const cpu = workerdCpuMs();
    await server.stop();
    return cpu;
  };
  const taken = { "/health": [] as number[], "/v1/usage": [] as number[], "/mcp": [] as number[] };
  for (let i = 0; i < 9; i++) {
    const empty = await cost(bundleOf("empty"), "/");
    for (const [path, costs] of Object.entries(taken)) costs.push((await cost(modules, path)) - empty);
  }
  const shown = (each: number[]) => each.map((ms) => ms.toFixed(0)).join(" ");
  const { "/health": starts, ...calls } = taken;
  report("cold start, ms CPU over an empty worker", quantile(starts, 0.5), 100, shown(starts), true);
  for (const [path, costs] of Object.entries(calls)) {
    const name = `... and a first call of ${path}, refused`;
    console.log(`info  ${name.padEnd(46)} ${quantile(costs, 0.5).toFixed(3)}  ${shown(costs)}`);
  }
  const gzip = modules.map(({ path }) => gzipSync(readFileSync(path)).byteLength).reduce((a, b) => a + b);
  report("bundle, MB gzip", gzip / 1_000_000, 1, `${gzip} bytes, ${modules.length} modules`, true);
  rmSync(out, { recursive: true });
}

/** A priced chat that nobody streams: beside the provider asked directly, and beside a gateway without auth, limits or billing. */
async function chat(): Promise<void> {
  const world = await chatWorld({ PLANS });
  try {
    for (const portkey of world.portkey) {
      await compare(`priced chat over Portkey's gateway, ${portkey.name}`, world.governed, portkey, 1.2);
    }
    const added: number[] = [];
    const bare: number[] = [];
    const booking: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const { p50 } = await latency(world.direct, 400);
      added.push((await latency(world.governed, 400)).p50 - p50);
      booking.push((await latency(world.booking, 400)).p50 - p50);
      bare.push((await latency(world.bare, 400)).p50 - p50);
    }
    const told = `${besideBare(added, bare)}; one that books a row ${quantile(booking, 0.5).toFixed(2)}`;
    report("priced chat, ms added to the provider's p50", quantile(added, 0.5), 1.5, told, true);
    await figure("priced chat, streamed", world.streamed);
  } finally {
    await world.stop();
  }
}

/** Milliseconds differ from machine to machine: what they are of those that a proxy adds that does nothing else does less so. */
const besideBare = (added: number[], bare: number[]): string =>
  `${list(added)}; a bare proxy ${quantile(bare, 0.5).toFixed(2)}, so ${(quantile(added, 0.5) / quantile(bare, 0.5)).toFixed(2)} of it`;

const list = (numbers: number[]): string => numbers.map((ms) => ms.toFixed(2)).join(" ");

/** A stream in OpenAI's words passed through: beside proxies that do nothing else, the provider itself, and Portkey's gateway. */
async function passThrough(): Promise<void> {
  const world = await streamWorld({ PLANS });
  const { governed, portkey, bare, reading, direct } = world;
  try {
    // Before the long streams: what was made fast for a thousand pieces is not fast for the first one.
    const first = await firstOver([governed, bare], direct, rounds, 1_000);
    const theirFirst = await firstOver([portkey], direct, rounds, 100);
    const added = first(governed);
    const told = `${besideBare(added, first(bare))}; Portkey ${quantile(theirFirst(portkey), 0.5).toFixed(2)}`;
    report("first token, ms added to the provider's p50", quantile(added, 0.5), 1, told, true);

    const cpu = await cpuOver([governed, portkey], [bare, reading], rounds);
    const [own, read] = [cpu(governed, bare), cpu(governed, reading)];
    const beside = (mine: number[], theirs: number[]) =>
      `${list(mine)}; Portkey ${quantile(theirs, 0.5).toFixed(2)}: ${list(theirs)}`;
    report(
      "1,000 streamed chunks, ms CPU over a bare proxy",
      quantile(own, 0.5),
      2,
      beside(own, cpu(portkey, bare)),
      true,
    );
    report("… over a proxy that reads each piece", quantile(read, 0.5), 2, list(read), true);

    const [crowd, theirs] = [await crowded(governed, 200, 200), await crowded(portkey, 200, 200)];
    const each = `${crowd.cpuMs.toFixed(1)} ms CPU each; Portkey ${theirs.incomplete}, ${theirs.cpuMs.toFixed(1)} ms`;
    report("200 concurrent streams of 200, incomplete", crowd.incomplete, 0, each, true);

    const { early, most, chunks } = await memoryOver(governed, 100_000);
    const grown = `${early.toFixed(0)} MB after a tenth, at most ${most.toFixed(0)} MB then; ${chunks} chunks`;
    report("100,000 chunks, MB of memory grown", most - early, 32, grown, true);
  } finally {
    await world.stop();
  }
}

/** What is not compared with anything. */
async function figure(name: string, target: Target): Promise<void> {
  await expectSuccess(target);
  await load(target, connections, 1);
  const taken: Round[] = [];
  for (let i = 0; i < rounds; i++) taken.push(await load(target, connections, seconds));
  const rps = quantile(
    taken.map((round) => round.rps),
    0.5,
  );
  const { p50, p99 } = await latency(target, 500);
  console.log(
    `info  ${name.padEnd(46)} ${Math.round(rps)} requests/s; one at a time p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms`,
  );
}

async function mcpDoor(url: string, auth: Record<string, string>): Promise<void> {
  const mcp = await serve(bundleOf("bare_mcp"));
  try {
    for (const era of ERAS) {
      for (const { method, params, goal } of COMPARED) {
        const [governed, bare] = [rpc(url, auth, era, method, params), rpc(mcp.url, {}, era, method, params)];
        await compare(`${method} over a bare MCP server (${era})`, governed, bare, goal);
      }
      for (const { method, params } of OWN) await figure(`${method} (${era})`, rpc(url, auth, era, method, params));
    }
  } finally {
    await mcp.stop();
  }
}

/** A route that costs nothing, beside the framework alone. */
async function restDoor(url: string, headers: Record<string, string>): Promise<void> {
  const hono = await serve(bundleOf("bare_hono"));
  try {
    const usage = { name: "usage", url: `${url}/v1/usage`, headers };
    await compare("GET /v1/usage over a bare Hono route", usage, { name: "bare", url: `${hono.url}/v1/usage` }, 0.45);
  } finally {
    await hono.stop();
  }
}

/** Waypost without a provider, for what is compared with bare servers. */
async function served(measure: (url: string, auth: Record<string, string>) => Promise<void>): Promise<void> {
  const waypost = await startWaypost({ vars: { PLANS } });
  try {
    await measure(waypost.url, { authorization: `Bearer ${waypost.apiKey}` });
  } finally {
    await waypost.stop();
  }
}

async function ledger(): Promise<void> {
  const { ratios, detail } = await longLedger(rounds);
  report("a call with 1 M entries over an empty ledger", quantile(ratios, 0.5), 1.2, detail, true);
}

const parts: Record<string, () => Promise<void>> = {
  start: coldStart,
  ledger,
  chat,
  stream: passThrough,
  rest: () => served(restDoor),
  mcp: () => served(mcpDoor),
};
const { only } = values;
if (only !== undefined && !parts[only]) throw new Error(`--only takes one of ${Object.keys(parts).join(", ")}`);
for (const [name, measure] of Object.entries(parts)) if (only === undefined || only === name) await measure();
process.exitCode = missed > 0 ? 1 : 0;
