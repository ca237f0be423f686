import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest } from "node:http";

/**
 * Loaded into the official runner, which takes no token, with `node --import`: adds one to what it sends to the server under
 * test, and to nothing else. All three of its ways to send (`fetch`, undici, `node:http`) announce their requests.
 */

interface Announced {
  request: { origin: string; headers: string | string[]; addHeader(name: string, value: string): void };
}

const origin = new URL(process.env.CONFORMANCE_URL ?? "").origin;
const authorization = `Bearer ${process.env.CONFORMANCE_TOKEN}`;

subscribe("http.client.request.created", (message) => {
  const { request } = message as { request: ClientRequest };
  if (`${request.protocol}//${request.getHeader("host")}` === origin) request.setHeader("authorization", authorization);
});

subscribe("undici:request:create", (message) => {
  const { request } = message as Announced;
  if (String(request.origin) === origin) request.addHeader("authorization", authorization);
});
