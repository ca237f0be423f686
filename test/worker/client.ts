import { SELF } from "cloudflare:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CfWorkerJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/cfworker";
import { expect } from "vitest";
import { ownerKey } from "./owner_key.ts";

/** What the tests need to act as a program or an agent against the Worker. */

export const ORIGIN = "https://waypost.test";
/** The protocol revisions the two clients speak. */
export const MODERN = "2026-07-28";

export interface Reply {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the server says
  body: any;
}

/** One REST call; a string body is sent as it is. */
export async function rest(
  key: string | null,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await SELF.fetch(`${ORIGIN}${path}`, {
    method,
    headers: {
      ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** The owner's key of this test file's installation. */
export async function owner(): Promise<string> {
  if (ownerKey.value) return ownerKey.value;
  const made = await rest("setup-token-of-the-test-suite", "POST", "/setup");
  if (made.status === 201) ownerKey.value = made.body.api_key as string;
  else {
    const again = await rest("setup-token-of-the-test-suite", "POST", "/setup", { reissue: true });
    expect(again.status).toBe(201);
    ownerKey.value = again.body.api_key as string;
  }
  return ownerKey.value;
}

/** A fresh account on a plan, with a key of the default or given scopes. */
export async function account(
  plan = "enterprise",
  key: Record<string, unknown> = {},
): Promise<{ account: string; key: string; keyId: string }> {
  const admin = await owner();
  const made = await rest(admin, "POST", "/v1/admin/accounts", { name: "test", plan });
  expect(made.status).toBe(200);
  const issued = await rest(admin, "POST", "/v1/keys", { account: made.body.account, name: "test", ...key });
  expect(issued.status).toBe(200);
  return { account: made.body.account, key: issued.body.api_key, keyId: issued.body.id };
}

/** An MCP client of the official SDK, connected with a key, that has listed the tools: it checks results by their schema. */
export async function agent(key: string): Promise<Client> {
  const client = new Client(
    { name: "test-agent", version: "1.0.0" },
    { versionNegotiation: { mode: { pin: MODERN } } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(`${ORIGIN}/mcp`), transportOptions(key)));
  await client.listTools();
  return client;
}

/** The client that most programs still embed: SDK v1, a protocol of 2025. */
export async function agentOf2025(key: string): Promise<LegacyClient> {
  // The default validator compiles code, which workerd forbids.
  const jsonSchemaValidator = new CfWorkerJsonSchemaValidator();
  const client = new LegacyClient({ name: "test-agent-of-2025", version: "1.0.0" }, { jsonSchemaValidator });
  await client.connect(new LegacyTransport(new URL(`${ORIGIN}/mcp`), transportOptions(key)) as LegacyConnection);
  await client.listTools();
  return client;
}

type LegacyConnection = Parameters<LegacyClient["connect"]>[0];

const transportOptions = (key: string) => ({
  fetch: (url: string | URL, init?: RequestInit) => SELF.fetch(new Request(url, init)),
  requestInit: { headers: { Authorization: `Bearer ${key}` } },
});
