import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startWaypost, type Waypost } from "./harness.ts";

/** Over real sockets, where a client that stops is noticed: what is indexed stays, the rest is not begun. */

const MANY = 100;
const documents = Array.from({ length: MANY }, (_, i) => ({
  id: `doc-${i}`,
  text: `Page ${i}. ${"Tea and harbours. ".repeat(2_000)}`,
}));

let waypost: Waypost;
let client: Client;

beforeAll(async () => {
  waypost = await startWaypost();
  client = new Client({ name: "stops", version: "1" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  const requestInit = { headers: { Authorization: `Bearer ${waypost.apiKey}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(waypost.mcp), { requestInit }));
});

afterAll(async () => {
  await client?.close();
  await waypost?.stop();
});

async function usage() {
  const headers = { Authorization: `Bearer ${waypost.apiKey}` };
  const { recent } = (await (await fetch(`${waypost.url}/v1/usage?recent=20`, { headers })).json()) as {
    recent: { tool: string; status: string }[];
  };
  return recent.find(({ tool }) => tool === "add_documents")?.status;
}

test("a client of 2026 that reads along and stops ends the indexing", async () => {
  const stop = new AbortController();
  let heard = 0;
  const call = client.callTool(
    { name: "add_documents", arguments: { documents } },
    { signal: stop.signal, onprogress: () => ++heard === 3 && stop.abort() },
  );
  await expect(call).rejects.toThrow(/abort/i);
  expect(heard).toBe(3);
  await expect.poll(usage, { timeout: 20_000, interval: 500 }).toBe("client_closed");
  const again = await client.callTool({ name: "add_documents", arguments: { documents } });
  const { documents: told } = again.structuredContent as { documents: { status: string }[] };
  const kept = told.filter(({ status }) => status === "unchanged").length;
  expect(kept).toBeGreaterThanOrEqual(3);
  expect(kept).toBeLessThan(MANY);
  expect(told.filter(({ status }) => status === "created")).toHaveLength(MANY - kept);
});
