import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
const w = JSON.parse(readFileSync("/tmp/m1/world.log","utf8").split("\n")[0]!);
let bad = 0;
for (let i=0;i<60;i++) {
  {
    const c = new Client({name:"t",version:"1"},{capabilities:{elicitation:{},sampling:{}}});
    const t = new StreamableHTTPClientTransport(new URL(w.mcp), { requestInit: { headers: { Authorization: `Bearer ${w.apiKey}` } } });
    await c.connect(t as any);
    const rs = await Promise.all([0,1,2].map((n) => fetch(w.mcp, { method: "POST", headers: { Authorization: `Bearer ${w.apiKey}`, "Content-Type": "application/json", Accept: "text/event-stream, application/json", "mcp-session-id": t.sessionId!, "mcp-protocol-version": "2025-03-26" }, body: JSON.stringify({ jsonrpc: "2.0", id: 1000+n, method: "tools/list", params: {} }) })));
    for (const r of rs) { const rd = r.body!.getReader(); await rd.read(); await rd.cancel(); }
    if (process.argv[2]) await t.terminateSession();
    await c.close();
  }
  const log: string[] = [];
  const t0=Date.now();
  const c = new Client({name:"t",version:"1"},{capabilities:{elicitation:{},sampling:{}}});
  c.setRequestHandler(ElicitRequestSchema, async (r) => { log.push(`${Date.now()-t0} elicit`); return {action:"accept",content:{ untitledSingle: `option1`, titledSingle: `value1`, legacyEnum: `opt1`, untitledMulti: [`option1`, `option2`], titledMulti: [`value1`, `value2`] }};});
  const t = new StreamableHTTPClientTransport(new URL(w.mcp), { requestInit: { headers: { Authorization: `Bearer ${w.apiKey}` } }, fetch: async (u, init) => { const k = `${init?.method ?? "GET"} ${String(init?.body ?? "").slice(0,90)}`; log.push(`${Date.now()-t0} > ${k}`); const r = await fetch(u as any, init as any); log.push(`${Date.now()-t0} < ${r.status} ${k.slice(0,40)}`); return r; } });
  await c.connect(t as any);
  try { await c.callTool({name:"test_elicitation_sep1330_enums",arguments:{}}, undefined, {timeout: 3000}); }
  catch (e) { bad++; console.log(i, String(e)); console.log(log.join("\n")); if (bad>2) break; }
  await t.terminateSession(); await c.close();
}
console.log("bad", bad);
