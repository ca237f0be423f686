import { describe, expect, inject, it } from "vitest";
import { Batches } from "./batches.ts";

const never = new AbortController().signal;

async function all(batches: Batches): Promise<Uint8Array[]> {
  const out: Uint8Array[] = [];
  for (let piece = await batches.read(); !piece.done; piece = await batches.read()) out.push(piece.value);
  return out;
}

/** An answer of so many words, each an event of its own. */
async function answer(words: number): Promise<Response> {
  const content = Array.from({ length: words }, (_, i) => `tide${i}`).join(" ");
  const body = JSON.stringify({ model: "echo", stream: true, messages: [{ role: "user", content }] });
  return await fetch(`${inject("upstreamUrl")}/v1/chat/completions`, { method: "POST", body });
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
});
