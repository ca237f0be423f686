import { describe, expect, inject, it } from "vitest";
import { Batches } from "../../src/models/pass/batches.ts";
import { StreamTap } from "../../src/models/pass/tap.ts";
import { randomFrom } from "../random.ts";
import { type CutDialect, cutWire, PATHS } from "../upstream/cut_wires.ts";

/** What comes over a socket in bursts and is gathered is, byte for byte, what was sent, wherever it was cut. */

const SEEDS = Array.from({ length: 12 }, (_, i) => 1_000 + i);

/** Reads an answer; `slowly`: with pauses, so that the provider is ahead. */
async function read(dialect: CutDialect, seed: number, slowly: boolean) {
  const random = randomFrom(seed);
  const url = `${inject("upstreamUrl")}/cuts${PATHS[dialect]}`;
  const response = await fetch(url, { method: "POST", body: JSON.stringify({ model: `cuts-${seed}` }) });
  const batches = new Batches(response.body as ReadableStream<Uint8Array>, true, new AbortController().signal);
  const tap = new StreamTap(dialect, false, () => {});
  const came: Uint8Array[] = [];
  const passed: Uint8Array[] = [];
  for (let piece = await batches.read(); !piece.done; piece = await batches.read()) {
    came.push(piece.value.slice());
    for (const bytes of tap.push(piece.value)) passed.push(bytes.slice());
    if (slowly && random() < 0.05) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  passed.push(...tap.end());
  return { came, passed, finished: tap.finished, usage: tap.usage };
}

/** Where two differ first; -1: nowhere. */
function differs(pieces: Uint8Array[], sent: Uint8Array): number {
  const got = Buffer.concat(pieces);
  const at = sent.findIndex((byte, i) => got[i] !== byte);
  return at < 0 && got.length !== sent.length ? sent.length : at;
}

describe.each(Object.keys(PATHS) as CutDialect[])("a burst of %s", (dialect) => {
  it.each(SEEDS)("of seed %d is what was sent, before and after it was looked at", async (seed) => {
    const { bytes, pieces } = cutWire(dialect, seed);
    for (const slowly of [false, true]) {
      const { came, passed, finished, usage } = await read(dialect, seed, slowly);
      expect(differs(came, bytes)).toBe(-1);
      expect(differs(passed, bytes)).toBe(-1);
      expect(finished).toBe(true);
      expect(usage).toMatchObject({ input: 12, output: 34 });
      gathered.push(came.length / pieces.length);
    }
  });
});

/** Of each answer, reads to pieces written. */
const gathered: number[] = [];

it("most of them were gathered", () => {
  expect(gathered).toHaveLength(2 * 3 * SEEDS.length);
  expect(gathered.filter((share) => share < 0.5).length).toBeGreaterThan(gathered.length / 2);
});
