import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { test } from "vitest";
import { startWaypost } from "/work/main/test/node/harness.ts";
test("x", async () => {
  const waypost = await startWaypost();
  const client = new Client({ name: "stops", version: "1" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  const requestInit = { headers: { Authorization: `Bearer ${waypost.apiKey}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(waypost.mcp), { requestInit }));
  const documents = Array.from({ length: 100 }, (_, i) => ({ id: `doc-${i}`, text: `Page ${i}. ${"Tea and harbours. ".repeat(Number(process.env.REP))}` }));
  const stop = new AbortController(); let heard = 0; const times: string[] = [];
  const t0 = Date.now();
  await client.callTool({ name: "add_documents", arguments: { documents } }, { signal: stop.signal, onprogress: (p) => { heard++; times.push(p.progress + "@" + (Date.now() - t0)); } }).catch((e) => console.log(String(e), Date.now() - t0));
  console.log(times.join(" "), "END", Date.now() - t0);
  for (let i = 0; i < 0; i++) {
    await new Promise((r) => setTimeout(r, 1000));
    const headers = { Authorization: `Bearer ${waypost.apiKey}` };
    const u = await (await fetch(`${waypost.url}/v1/usage?recent=50`, { headers })).json() as any;
    const s = await (await fetch(`${waypost.url}/v1/sync`, { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify({ limit: 500 }) })).json() as any;
    console.log(u.recent.map((r: any) => r.tool + ":" + r.status).join(" "), s.changes?.length, u.by_tool);
  }
  await waypost.stop();
}, 60000);
