import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWaypost, type Waypost } from "./harness.ts";

/** Streams of changes over real sockets. An account may have 64: one that were left over would be missed. */

const PLACES = 64;
/** A connection that was cut is noticed by the next sign of life. */
const KEEP_ALIVE_MS = 500;

let waypost: Waypost;
beforeAll(async () => {
  waypost = await startWaypost({ vars: { KEEP_ALIVE_MS: String(KEEP_ALIVE_MS) } });
});
afterAll(() => waypost?.stop());

const headers = () => ({ Authorization: `Bearer ${waypost.apiKey}`, "Content-Type": "application/json" });

async function post(path: string, body: object): Promise<void> {
  const response = await fetch(`${waypost.url}${path}`, {
    method: "POST",
    headers: headers(),
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  await response.text();
}

/** Opens a stream; the status, and what cuts its connection. */
async function open(): Promise<{ status: number; cut: () => void }> {
  const gone = new AbortController();
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": { name: "by-hand", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const params = { notifications: { resourcesListChanged: true }, _meta };
  const response = await fetch(`${waypost.url}/mcp`, {
    method: "POST",
    signal: gone.signal,
    headers: {
      ...headers(),
      Accept: "application/json, text/event-stream",
      "Mcp-Protocol-Version": "2026-07-28",
      "Mcp-Method": "subscriptions/listen",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: "l", method: "subscriptions/listen", params }),
  });
  if (response.status === 200) await response.body?.getReader().read();
  else await response.text();
  return { status: response.status, cut: () => gone.abort() };
}

test("cut connections leave no stream behind", async () => {
  for (let round = 0; round < 2; round++) {
    const streams: Awaited<ReturnType<typeof open>>[] = [];
    await expect
      .poll(
        async () => {
          const more = await Promise.all(Array.from({ length: PLACES - streams.length }, open));
          streams.push(...more.filter(({ status }) => status === 200));
          return streams.length;
        },
        // All that were cut last time must have been noticed.
        { timeout: 20_000, interval: 3 * KEEP_ALIVE_MS },
      )
      .toBe(PLACES);
    const over = await open();
    expect(over.status).toBe(429);
    for (const { cut } of streams) cut();
  }
});

test("a change is heard soon, and a read after it shows it", async () => {
  const client = new Client(
    { name: "agent", version: "1.0.0" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  const transport = new StreamableHTTPClientTransport(new URL(`${waypost.url}/mcp`), {
    requestInit: { headers: { Authorization: `Bearer ${waypost.apiKey}` } },
  });
  await client.connect(transport);
  let heard: (at: number) => void = () => {};
  client.setNotificationHandler("notifications/resources/updated", () => heard(performance.now()));
  const uri = "waypost://documents/live";
  let stream: Awaited<ReturnType<typeof client.listen>> | undefined;
  await expect
    .poll(
      async () => {
        stream = await client.listen({ resourceSubscriptions: [uri] }).catch(() => undefined);
        return stream !== undefined;
      },
      { timeout: 20_000, interval: 500 },
    )
    .toBe(true);
  const took: number[] = [];
  for (let n = 0; n < 20; n++) {
    const told = new Promise<number>((resolve) => {
      heard = resolve;
    });
    const started = performance.now();
    await post("/v1/documents", { documents: [{ id: "live", text: `Version ${n}` }] });
    took.push((await told) - started);
    const { contents } = await client.readResource({ uri });
    expect(contents[0]).toMatchObject({ text: `Version ${n}` });
  }
  took.sort((a, b) => a - b);
  console.info(
    `heard after ${took[10]?.toFixed(1)} ms (median), ${took.at(-1)?.toFixed(1)} ms (longest), the write included`,
  );
  await stream?.close();
  await client.close();
});
