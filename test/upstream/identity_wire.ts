import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What both stand-ins for sign-in providers share: a socket, forms, and codes that are good once. */

export interface IdentityServer {
  url: string;
  close(): Promise<void>;
}

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>;

/** A server on a free port of this machine. */
export async function listen(handler: Handler, port = 0): Promise<IdentityServer> {
  const server = createServer((request, response) => {
    handler(request, response, new URL(request.url ?? "/", "http://provider")).catch(() => response.destroy());
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

export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString("utf8"));
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json; charset=utf-8" }).end(JSON.stringify(body));
}

export function redirect(response: ServerResponse, to: string, parameters: Record<string, string | undefined>): void {
  const url = new URL(to);
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) url.searchParams.set(name, value);
  response.writeHead(302, { location: url.href }).end();
}

/** What a browser brought to the authorization endpoint. */
export interface Authorization {
  clientId: string;
  redirectUri: string;
  challenge: string;
  nonce: string | undefined;
  scope: string;
  /** Who signed in: the test says so in `login`, in the place of a person at a form. */
  login: string;
}

/** Authorization codes, each good once (RFC 6749 4.1.2), for their client, redirect URI and verifier (RFC 7636 4.6). */
export class Codes {
  readonly #kept = new Map<string, Authorization>();

  issue(authorization: Authorization): string {
    const code = randomBytes(24).toString("base64url");
    this.#kept.set(code, authorization);
    return code;
  }

  redeem(form: URLSearchParams, clientId: string): Authorization | null {
    const code = form.get("code") ?? "";
    const kept = this.#kept.get(code);
    this.#kept.delete(code);
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    const good =
      kept &&
      kept.clientId === clientId &&
      kept.redirectUri === form.get("redirect_uri") &&
      kept.challenge === challenge;
    return good ? kept : null;
  }
}

/** Reads an authorization request, or says what is wrong with it. */
export function readAuthorization({ searchParams: query }: URL): Authorization | string {
  if (query.get("response_type") !== "code") return "response_type";
  if (query.get("code_challenge_method") !== "S256") return "code_challenge_method";
  const required = ["client_id", "redirect_uri", "code_challenge", "state"].find((name) => !query.get(name));
  if (required) return required;
  return {
    clientId: query.get("client_id") ?? "",
    redirectUri: query.get("redirect_uri") ?? "",
    challenge: query.get("code_challenge") ?? "",
    nonce: query.get("nonce") ?? undefined,
    scope: query.get("scope") ?? "",
    login: query.get("login") ?? "somebody",
  };
}
