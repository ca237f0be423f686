import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TlsSite, tlsSite } from "../oauth/tls_site.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/**
 * Client ID Metadata Documents over real TLS. The token endpoint looks the client up first: what it says of a code that
 * does not exist tells whether the document was taken.
 */

const asked: string[] = [];
let site: TlsSite;
let inside: Server;
let waypost: Waypost;

const document = (path: string, more: object = {}) =>
  JSON.stringify({
    client_id: `${site.origin}${path}`,
    client_name: "Documented app",
    redirect_uris: ["http://127.0.0.1/callback"],
    token_endpoint_auth_method: "none",
    ...more,
  });

function serve(path: string, response: ServerResponse): void {
  asked.push(path);
  const json = { "Content-Type": "application/json" };
  if (path === "/good") response.writeHead(200, json).end(document(path));
  else if (path === "/huge") response.writeHead(200, json).end(document(path, { padding: "x".repeat(6_000) }));
  else if (path === "/endless") endless(response.writeHead(200, json));
  else if (path === "/silent") response.writeHead(200, json).write("{");
  else if (path === "/moved") response.writeHead(302, { Location: `${site.origin}/good` }).end();
  else if (path === "/inward") response.writeHead(307, { Location: insideUrl() }).end();
  else if (path === "/stranger") response.writeHead(200, json).end(document("/good"));
  else if (path === "/page") response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><p>Hello");
  else if (path === "/script")
    response.writeHead(200, json).end(document(path, { redirect_uris: ["javascript:alert(1)"] }));
  else if (path === "/secret") response.writeHead(200, json).end(document(path, { client_secret: "x" }));
  else response.writeHead(404).end();
}

function endless(response: ServerResponse): void {
  const more = setInterval(() => response.write(" ".repeat(1_000)), 5);
  response.on("close", () => clearInterval(more));
}

const insideUrl = () => `http://127.0.0.1:${(inside.address() as AddressInfo).port}/inside`;

async function lookUp(client: string): Promise<{ status: number; error: string; ms: number }> {
  const began = performance.now();
  const response = await fetch(`${waypost.url}/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: client,
      code: `usr_nobody:${"a".repeat(16)}:${"b".repeat(32)}`,
    }),
  });
  const { error } = (await response.json()) as { error: string };
  return { status: response.status, error, ms: performance.now() - began };
}

beforeAll(async () => {
  site = await tlsSite((request, response) => serve(request.url ?? "", response));
  inside = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("{}");
  }).listen(0, "127.0.0.1");
  await once(inside, "listening");
  waypost = await startWaypost({
    vars: { PRIVATE_CLIENT_HOSTS: new URL(site.origin).host },
    env: { NODE_EXTRA_CA_CERTS: site.authority },
  });
});
afterAll(async () => {
  await waypost?.stop();
  inside?.close();
  await site?.close();
});

describe("a client's metadata document", () => {
  test("is taken from where the client says it is", async () => {
    expect(await lookUp(`${site.origin}/good`)).toMatchObject({ status: 400, error: "invalid_grant" });
    expect(asked).toContain("/good");
  });

  test.each(["/huge", "/endless", "/moved", "/inward", "/stranger", "/page", "/script", "/secret", "/missing"])(
    "is refused when it is not one: %s",
    async (path) => {
      asked.length = 0;
      expect(await lookUp(site.origin + path)).toMatchObject({ status: 503, error: "temporarily_unavailable" });
      // A redirect is not followed, wherever it leads.
      expect(asked).toEqual([path]);
    },
  );

  test("that does not come is waited for 10 seconds", async () => {
    const { status, ms } = await lookUp(`${site.origin}/silent`);
    expect(status).toBe(503);
    expect(ms).toBeGreaterThan(9_000);
    expect(ms).toBeLessThan(14_000);
  });

  test("at a name that nobody can resolve is not there", async () => {
    const { status, ms } = await lookUp("https://nothing-here.invalid/app.json");
    expect(status).toBe(503);
    expect(ms).toBeLessThan(10_000);
  });

  test("is never asked for at a private address", async () => {
    asked.length = 0;
    const port = new URL(site.origin).port;
    for (const host of [
      ...[`127.0.0.1:${port}`, `127.1:${port}`, `2130706433:${port}`, `0x7f000001:${port}`, `[::1]:${port}`],
      ...[`[::ffff:127.0.0.1]:${port}`, "localhost", `localhost.:${port}`, `app.localhost:${port}`, "169.254.169.254"],
      ...["printer.local", "metadata.google.internal", "intranet"],
    ]) {
      expect([host, (await lookUp(`https://${host}/good`)).status]).toEqual([host, 503]);
    }
    expect(asked).toEqual([]);
  });
});
