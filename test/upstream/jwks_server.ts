import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * A stand-in for the issuers of JWTs: publishes key sets on a real socket, and fails in the ways in which such servers do.
 *
 * `GET /<name>/.well-known/jwks.json` is what an issuer publishes; `PUT /control/<name>` with a `Behaviour` says what that
 * is from now on; `GET /control/<name>` returns {fetches}, how often it was asked for.
 */

export interface Behaviour {
  /** Served as it is. Default: an empty body. */
  body?: string;
  /** Default 200. */
  status?: number;
  /** Milliseconds to wait before answering. */
  delay?: number;
  /** `reset`: the connection breaks; `redirect`: to another issuer's keys, at `to`; `endless`: a body without an end. */
  mode?: "reset" | "redirect" | "endless";
  to?: string;
}

export interface JwksServer {
  url: string;
  close(): Promise<void>;
}

export async function startJwks(port = 0): Promise<JwksServer> {
  const issuers = new Map<string, { behaviour: Behaviour; fetches: number }>();
  const server = createServer((request, response) => {
    route(request, response, issuers).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  issuers: Map<string, { behaviour: Behaviour; fetches: number }>,
): Promise<void> {
  const [, first = "", second = ""] = (request.url ?? "").split("/");
  const name = first === "control" ? second : first;
  const issuer = issuers.get(name) ?? { behaviour: { status: 404 }, fetches: 0 };
  issuers.set(name, issuer);
  if (first !== "control") {
    issuer.fetches++;
    return serve(response, issuer.behaviour);
  }
  if (request.method === "PUT") issuer.behaviour = JSON.parse(await readBody(request)) as Behaviour;
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ fetches: issuer.fetches }));
}

async function serve(response: ServerResponse, { body = "", status = 200, delay, mode, to }: Behaviour): Promise<void> {
  if (delay) await sleep(delay, undefined, { ref: false });
  if (mode === "reset") return void response.destroy();
  if (mode === "redirect") return void response.writeHead(302, { location: to }).end();
  response.writeHead(status, { "content-type": "application/json" });
  if (mode !== "endless") return void response.end(body);
  while (!response.destroyed) {
    response.write(" ".repeat(64 * 1024));
    await sleep(1);
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}
