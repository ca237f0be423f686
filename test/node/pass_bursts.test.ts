import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startWaypost, type Waypost } from "./harness.ts";

/** A provider that sends hundreds of events at once, then one, then nothing more until it is told to. */

const BURST = 600;
const event = (content: string) => `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content } }] })}\n\n`;
let answering: ServerResponse | undefined;
let cut = 0;
const provider = createServer(async (request, response) => {
  for await (const _ of request);
  answering = response;
  response.on("close", () => {
    if (!response.writableEnded) cut++;
  });
  response.writeHead(200, { "content-type": "text/event-stream" });
  for (let i = 0; i < BURST; i++) {
    response.write(event(`tide${i} `));
    await new Promise(setImmediate);
  }
  await pause(100);
  response.write(event("late"));
});
let waypost: Waypost;

beforeAll(async () => {
  provider.listen(0, "127.0.0.1");
  await once(provider, "listening");
  waypost = await startWaypost({
    vars: {
      PROVIDER_TIMEOUT_MS: "4000",
      MODEL_PROVIDERS: JSON.stringify([
        {
          id: "paid",
          base_url: `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`,
          api_key: "sk-upstream",
          local: false,
          models: [{ name: "bursts", context: 100_000 }],
        },
      ]),
      MODEL_PRICES: JSON.stringify({ "paid/bursts": { input: "3", output: "15" } }),
    },
  });
});

afterAll(async () => {
  await waypost?.stop();
  provider.closeAllConnections();
  provider.close();
});

/** Asks, and reads until the text has come. */
async function readUntil(text: string, signal: AbortSignal) {
  const response = await fetch(`${waypost.url}/v1/chat/completions`, {
    method: "POST",
    signal,
    headers: { authorization: `Bearer ${waypost.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "paid/bursts", stream: true, messages: [{ role: "user", content: "a" }] }),
  });
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let seen = "";
  while (!seen.includes(text)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`it ended with ${seen.slice(-300)}`);
    seen += Buffer.from(value).toString();
  }
  return { reader, seen };
}

it("what comes slowly after a burst is not held back, and the end is told", async () => {
  const { reader, seen } = await readUntil('"late"', AbortSignal.timeout(10_000));
  for (let i = 0; i < BURST; i++) expect(seen).toContain(`"tide${i} "`);
  const usage = { prompt_tokens: 9, completion_tokens: 600, total_tokens: 609 };
  answering?.end(`data: ${JSON.stringify({ choices: [], usage })}\n\ndata: [DONE]\n\n`);
  let rest = "";
  for (let piece = await reader.read(); !piece.done; piece = await reader.read())
    rest += Buffer.from(piece.value).toString();
  expect(rest).toBe("data: [DONE]\n\n");
});

it("a provider that falls silent after a burst is given up, and is free", async () => {
  const { reader, seen } = await readUntil('"late"', AbortSignal.timeout(10_000));
  let rest = seen;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read())
    rest += Buffer.from(piece.value).toString();
  expect(rest).toContain("provider_timeout");
  const headers = { authorization: `Bearer ${waypost.apiKey}` };
  const usage = await (await fetch(`${waypost.url}/v1/usage`, { headers })).json();
  expect(usage).toMatchObject({ total: { errors: 1 }, balance: { reserved_nano: 0 } });
  for (let i = 0; i < 40 && cut === 0; i++) await pause(50);
  expect(cut).toBe(1);
});
