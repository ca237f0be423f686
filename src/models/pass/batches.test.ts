import { describe, expect, inject, it } from "vitest";
import { Batches } from "./batches.ts";

const never = new AbortController().signal;

async function all(batches: Batches): Promise<Uint8Array[]> {
  const out: Uint8Array[] = [];
  for (let piece = await batches.read(); !piece.done; piece = await batches.read()) out.push(piece.value);
  return out;
}

/** An answer of so many words, each an event of its own. `model`: how it breaks off. */
async function answer(words: number, model = "echo", signal: AbortSignal = never): Promise<Response> {
  const content = Array.from({ length: words }, (_, i) => `tide${i}`).join(" ");
  const body = JSON.stringify({ model, stream: true, messages: [{ role: "user", content }] });
  return await fetch(`${inject("upstreamUrl")}/v1/chat/completions`, { method: "POST", body, signal });
}

const saidBy = (pieces: Uint8Array[]): string =>
  [
    ...Buffer.concat(pieces)
      .toString()
      .matchAll(/"content":"([^"]*)"/g),
  ]
    .map(([, text]) => text)
    .join("");

describe("a body read in batches", () => {
  it("says the same, and ends", async () => {
    for (const words of [1, 15, 40, 3_000]) {
      const { body, url } = await answer(words);
      const read = await all(new Batches(body as ReadableStream<Uint8Array>, url !== "", never));
      expect(saidBy(read)).toContain(Array.from({ length: words }, (_, i) => `tide${i}`).join(" "));
      expect(Buffer.concat(read).toString().trimEnd().endsWith("data: [DONE]")).toBe(true);
    }
  });

  it("that a program makes comes piece by piece", async () => {
    const pieces = Array.from({ length: 40 }, (_, i) => Uint8Array.of(i));
    const readable = new ReadableStream<Uint8Array>({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        controller.close();
      },
    });
    const { body, url } = new Response(readable);
    expect(await all(new Batches(body as ReadableStream<Uint8Array>, url !== "", never))).toEqual(pieces);
  });

  it("holds nothing back when the provider falls silent, and lets go at once when it is aborted", async () => {
    const abort = new AbortController();
    const { body } = await answer(400, "silent-mid-stream", abort.signal);
    const batches = new Batches(body as ReadableStream<Uint8Array>, true, abort.signal);
    const read: Uint8Array[] = [];
    const began = Date.now();
    while (!saidBy(read).includes("tide150")) read.push((await batches.read()).value as Uint8Array);
    setTimeout(() => abort.abort(new Error("that will do")), 50);
    await expect(all(batches)).rejects.toThrow("that will do");
    // The provider itself would be silent for 15 s.
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  it("is an error where the provider breaks off in a burst", async () => {
    const { body } = await answer(400, "cut-mid-stream");
    await expect(all(new Batches(body as ReadableStream<Uint8Array>, true, never))).rejects.toThrow();
  });

  it("comes as fast as it is sent when it comes fast", async () => {
    const { body } = await answer(4_000);
    const began = Date.now();
    const read = await all(new Batches(body as ReadableStream<Uint8Array>, true, never));
    const bytes = read.reduce((sum, { length }) => sum + length, 0);
    // What was gathered is taken as soon as no more fits, and nobody waits for a body that has ended.
    expect(read.length).toBeLessThan(bytes / 8_192 + (Date.now() - began) / 4 + 20);
    expect(saidBy(read).includes("tide3999")).toBe(true);
  });
});
