import { setTimeout as sleep } from "node:timers/promises";
import { type IdentityServer, json, listen } from "./identity_wire.ts";

/** A message as it arrived at the receiver. */
export interface Received {
  path: string;
  headers: Record<string, string>;
  body: string;
  at: number;
}

/**
 * A stand-in for the servers that customers have webhooks sent to: `<url>/<mode>/<name>`, where `ok` takes everything,
 * `fail` answers 500, `flaky` fails the first time, `redirect` leads to `ok`, and `slow` takes twenty seconds. `GET /log/<name>`
 * tells what came under a name.
 */
export async function startReceiver(port = 0): Promise<IdentityServer> {
  const logs = new Map<string, Received[]>();
  const server = await listen(async (request, response, url) => {
    const [, mode = "", name = ""] = url.pathname.split("/");
    if (mode === "log") return json(response, 200, logs.get(name) ?? []);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const log = logs.get(name) ?? [];
    logs.set(name, log);
    const headers = request.headers as Record<string, string>;
    log.push({ path: url.pathname, headers, body: Buffer.concat(chunks).toString(), at: Date.now() });
    if (mode === "slow") await sleep(20_000, undefined, { ref: false });
    const status = mode === "fail" || (mode === "flaky" && log.length === 1) ? 500 : mode === "redirect" ? 302 : 204;
    response.writeHead(status, mode === "redirect" ? { Location: `${server.url}/ok/${name}` } : {}).end();
  }, port);
  return server;
}
