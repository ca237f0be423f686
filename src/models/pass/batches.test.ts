import { describe, expect, it } from "vitest";
import { randomFrom } from "../../../test/random.ts";
import { Batches } from "./batches.ts";

/** Bodies that workerd itself carries: only those can gather. */

const never = new AbortController().signal;
const sum = (pieces: Uint8Array[]): number => pieces.reduce((all, { length }) => all + length, 0);

/** A body of pieces that come as fast as they are taken; `written`: how many bytes were. */
function body(pieces: Uint8Array[]) {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  const state = { readable, written: 0, writing: Promise.resolve() };
  const write = async () => {
    for (const piece of pieces) {
      await writer.write(piece);
      state.written += piece.length;
    }
    await writer.close();
  };
  state.writing = write().catch(() => {});
  return state;
}

async function all(batches: Batches): Promise<Uint8Array[]> {
  const out: Uint8Array[] = [];
  for (let piece = await batches.read(); !piece.done; piece = await batches.read()) out.push(piece.value);
  return out;
}

describe("a body read in batches", () => {
  it("is the same bytes in fewer pieces, whatever it comes in", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = randomFrom(seed);
      const pieces = Array.from({ length: 400 }, () =>
        Uint8Array.from({ length: 1 + Math.floor(random() * 300) }, () => Math.floor(random() * 256)),
      );
      const read = await all(new Batches(body(pieces).readable, never));
      expect(Buffer.concat(read).equals(Buffer.concat(pieces))).toBe(true);
      expect(read.length).toBeLessThan(pieces.length / 2);
    }
  });

  it("is drawn no further ahead of a reader who stops than it may be", async () => {
    const pieces = Array.from({ length: 2_000 }, () => new Uint8Array(1_024).fill(7));
    const source = body(pieces);
    const batches = new Batches(source.readable, never);
    const read: Uint8Array[] = [];
    for (let i = 0; i < 25; i++) {
      const { value } = await batches.read();
      if (value) read.push(value);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(source.written - sum(read)).toBeLessThanOrEqual(2 * 64 * 1024);
    expect(source.written).toBeLessThan(2_000 * 1_024);
    read.push(...(await all(batches)));
    expect(sum(read)).toBe(2_000 * 1_024);
  });

  it("ends when its request is aborted, also while it is waited for", async () => {
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    const request = new AbortController();
    const batches = new Batches(readable, request.signal);
    const writing = (async () => {
      for (let i = 0; i < 100; i++) await writer.write(new Uint8Array(10));
    })();
    for (let got = 0; got < 1_000; got += (await batches.read()).value?.length ?? 0);
    await writing;
    const waiting = batches.read();
    setTimeout(() => request.abort(), 20);
    await expect(waiting).rejects.toThrow();
  });

  it("of a stream that a program makes comes piece by piece", async () => {
    const pieces = Array.from({ length: 40 }, (_, i) => Uint8Array.of(i));
    const readable = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    expect(await all(new Batches(readable, never))).toEqual(pieces);
  });
});
