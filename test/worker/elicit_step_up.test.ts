import { SELF } from "cloudflare:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { describe, expect, it } from "vitest";
import { Accounts } from "../../src/auth/accounts.ts";
import { settings, signedIn } from "../web/person.ts";
import { agentOf2025, MODERN, ORIGIN } from "./client.ts";
import { asking2025 } from "./elicit_clients.ts";
import { connect, client as registered } from "./oauth_flow.ts";

/** Clients that do nothing with a 403 but show its words: the words lead their user to the page that helps. */

interface Searching {
  search(): Promise<unknown>;
  close(): Promise<void>;
}

const CALL = { name: "search", arguments: { query: "tea" } };

async function of2026(token: string): Promise<Searching> {
  const client = new Client({ name: "plain", version: "1" }, { versionNegotiation: { mode: { pin: MODERN } } });
  const options = {
    fetch: (url: string | URL, init?: RequestInit) => SELF.fetch(new Request(url, init)),
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
  };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${ORIGIN}/mcp`), options));
  return { search: () => client.callTool(CALL), close: () => client.close() };
}

async function of2025(token: string): Promise<Searching> {
  const client = await agentOf2025(token);
  return { search: () => client.callTool(CALL), close: () => client.close() };
}

async function inSession(token: string): Promise<Searching> {
  const client = await asking2025(token, () => ({ action: "decline" }));
  return { search: () => client.call("search", CALL.arguments), close: client.close };
}

describe.each([
  ["of 2026", of2026],
  ["of 2025", of2025],
  ["of 2025 in a session", inSession],
] as const)("a client %s whose app lacks a scope", (_, open) => {
  it("is told where the user allows it, and may go on with the token it has", async () => {
    const { user, account } = await new Accounts(settings).create({ name: "Ada", plan: "pro" });
    const { access_token } = await connect({ user, account }, { client: await registered(), scopes: ["chat"] });
    const client = await open(access_token);
    const refused = await client.search().then(
      () => "",
      (error: Error & { errorDescription?: string }) => `${error.message} ${error.errorDescription}`,
    );
    const link = /https:\/\/waypost\.test\/account\/apps\/[\w-]+\/scopes\?add=search/.exec(refused)?.[0];
    expect(link, refused).toBeDefined();
    const page = new URL(link ?? "");
    const person = await signedIn(user);
    const form = await person.get(page.pathname + page.search);
    expect(form.text).toContain("Search and read your documents");
    expect((await person.submit(form, page.pathname)).to).toBe("/account");
    expect(await client.search()).toMatchObject({ structuredContent: { results: [] } });
    await client.close();
  });
});
