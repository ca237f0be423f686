import { setTimeout as sleep } from "node:timers/promises";
import { inputOf } from "./generate.ts";
import { shown } from "./input.ts";
import { type Fault, Lane } from "./lane.ts";
import { shrink } from "./shrink.ts";
import { openCaller, startWorld, type World } from "./world.ts";

export interface FuzzOptions {
  inputs: number;
  seed: number;
  /** Send only the input of this number. */
  only?: number;
  say?: (line: string) => void;
}

export interface FuzzReport {
  inputs: number;
  seconds: number;
  statuses: Record<string, number>;
  /** Refusals by code. */
  codes: Record<string, number>;
  /** Each kind of fault once, with its least input. */
  faults: string[];
}

const LANES = 16;
/** Health is asked for, and progress told, after so many inputs. */
const BLOCK = 2_000;
/** More would tell nothing new. */
const FAULTS_SHOWN = 12;

/** Sends inputs of a seed to a started Waypost and reports everything that is not as it must be. */
export async function fuzz({ inputs, seed, only, say = () => {} }: FuzzOptions): Promise<FuzzReport> {
  const world = await startWorld();
  const faults: Fault[] = [];
  let lanes: Lane[] = [];
  try {
    lanes = await openLanes(world);
    const began = performance.now();
    let next = 0;
    const blocks = async (lane: Lane, i: number) => {
      for (let n = next + i; n < Math.min(inputs, next + BLOCK); n += LANES) {
        if (only !== undefined && n !== only) continue;
        faults.push(...(await lane.send(inputOf(seed, n, lane.caller.materials))));
      }
      faults.push(...(await lane.settle()));
    };
    for (; next < inputs && kinds(faults).length < FAULTS_SHOWN; next += BLOCK) {
      await Promise.all(lanes.map(blocks));
      await expectHealth(world);
      say(
        `${Math.min(next + BLOCK, inputs)} inputs, ${faults.length} faults, ${Math.round((performance.now() - began) / 1_000)} s`,
      );
    }
    const seconds = (performance.now() - began) / 1_000;
    const told = await explain(lanes, kinds(faults).slice(0, FAULTS_SHOWN));
    // Streams that nobody reads any more must not keep the server from ending.
    const code = await Promise.race([world.close(), sleep(30_000, "none in 30 s")]);
    if (code !== 0) told.push(`the server did not end well: ${code}`);
    return {
      inputs: Math.min(next, inputs),
      seconds,
      statuses: sumOf(lanes, "statuses"),
      codes: sumOf(lanes, "codes"),
      faults: told,
    };
  } finally {
    for (const lane of lanes) lane.close();
    await world.close();
  }
}

async function openLanes(world: World): Promise<Lane[]> {
  const lanes: Lane[] = [];
  for (let i = 0; i < LANES; i++) {
    const others = lanes.flatMap(({ caller }) => caller.materials.own.sessions);
    const caller = await openCaller(world, i);
    // Sessions of others are tried too.
    caller.materials.own.sessions.push(...others.slice(-2));
    lanes.push(new Lane(world, caller));
  }
  return lanes;
}

async function expectHealth({ waypost }: World): Promise<void> {
  for (const path of ["/health", "/ready"]) {
    const response = await fetch(waypost.url + path, { signal: AbortSignal.timeout(10_000) });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`${path} answers ${response.status}: ${text.slice(0, 300)}`);
  }
}

/** One fault of each kind: what it says, without numbers and ids. */
function kinds(faults: readonly Fault[]): Fault[] {
  const seen = new Map<string, Fault>();
  for (const fault of faults) {
    const kind = kindOf(fault.why);
    if (!seen.has(kind)) seen.set(kind, fault);
  }
  return [...seen.values()];
}

const kindOf = (why: string): string => why.replace(/req_\w+|call_\w+|\d+/g, "#").slice(0, 60);

async function explain(lanes: readonly Lane[], faults: readonly Fault[]): Promise<string[]> {
  const told: string[] = [];
  for (const { input, lane, why } of faults) {
    const again = lanes[lane] as Lane;
    const fails = async (candidate: typeof input) => kindOf((await again.suspect(candidate)) ?? "") === kindOf(why);
    const least = why.startsWith("no answer: hung") ? input : await shrink(input, fails);
    told.push(`${why}\n${shown(least)}`);
  }
  return told;
}

function sumOf(lanes: readonly Lane[], what: "statuses" | "codes"): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const lane of lanes) for (const [name, count] of lane[what]) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
