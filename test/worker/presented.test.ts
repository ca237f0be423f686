import { beforeAll, describe, expect, it } from "vitest";
import { account, rest } from "./client.ts";
import { client, connect, person } from "./oauth_flow.ts";
import { expectProblem, furnished, MCP_HEADERS, send, sendMcp, toolCall } from "./refusal.ts";

/** Credentials in places where they do not belong, and what a session id is worth. */

let key: string;
let token: string;
beforeAll(async () => {
  key = (await account()).key;
  token = (await connect(await person(), { client: await client(), resource: "https://waypost.test/v1" })).access_token;
});

describe("a credential in the URL", () => {
  it.each(["/v1/usage", "/mcp"])("gets nobody in at %s, and spoils one in the header", async (path) => {
    const method = path === "/mcp" ? "POST" : "GET";
    for (const secret of [key, token]) {
      for (const query of [`access_token=${secret}`, `a=1&access_token=${encodeURIComponent(secret)}`]) {
        const alone = await send(`${path}?${query}`, { method });
        expect(expectProblem(alone, "unauthenticated", [secret]).detail).toContain("URL");
        const both = await send(`${path}?${query}`, { key, method });
        expectProblem(both, "invalid_header", [secret]);
      }
    }
  });

  it("is not looked for under other names", async () => {
    for (const name of ["api_key", "key", "token", "authorization", "bearer"]) {
      expectProblem(await send(`/v1/usage?${name}=${key}`, { method: "GET" }), "unauthenticated", [key]);
    }
  });
});

describe("an Authorization header that is no bearer's", () => {
  it.each(["Basic", "Token", "Digest", "Negotiate", "DPoP", ""])("%j is refused", async (scheme) => {
    const reply = await send("/v1/usage", { method: "GET", headers: { Authorization: `${scheme} ${key}`.trim() } });
    expectProblem(reply, "unauthenticated", [key]);
  });

  it("two credentials in one are refused", async () => {
    for (const both of [`Bearer ${key}, Bearer ${key}`, `Bearer ${key} ${token}`]) {
      expectProblem(await send("/v1/usage", { method: "GET", headers: { Authorization: both } }), "unauthenticated", [
        key,
      ]);
    }
  });
});

describe("an MCP session", () => {
  const initialize = {
    jsonrpc: "2.0",
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "legacy", version: "1" } },
  };

  it("is opened for nobody: every request stands for the credential it carries", async () => {
    const owner = await furnished();
    const opened = await sendMcp(owner.key, initialize);
    expect(opened.status).toBe(200);
    expect(opened.headers.get("mcp-session-id")).toBeNull();
    const { params } = initialize;
    const asked = await sendMcp(owner.key, { ...initialize, params: { ...params, capabilities: { sampling: {} } } });
    const session = { ...MCP_HEADERS, "Mcp-Session-Id": asked.headers.get("mcp-session-id") as string };
    const mine = await sendMcp(owner.key, toolCall("list_sessions", {}), session);
    expect(JSON.stringify(mine.body)).toContain("own-session");
    const theirs = await sendMcp(key, toolCall("list_sessions", {}), session);
    expect(theirs.status).toBe(404);
    expect(JSON.stringify(theirs.body)).not.toContain("own-session");
  });

  it("id opens nothing without a credential", async () => {
    for (const method of ["GET", "POST", "DELETE"]) {
      const reply = await send("/mcp", { method, headers: { "Mcp-Session-Id": "session-of-the-owner" } });
      expect(reply.status).toBe(401);
    }
    expect((await rest(key, "GET", "/v1/usage")).status).toBe(200);
  });
});
