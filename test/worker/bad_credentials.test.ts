import { beforeAll, describe, expect, it } from "vitest";
import { account, owner, type Reply, rest } from "./client.ts";
import { configureModels } from "./provider.ts";
import { type Caller, furnished, MCP_HEADERS, refused, send, sendMcp, toolCall } from "./refusal.ts";

configureModels();

let who: Caller;
let expired: string;
let revoked: string;
beforeAll(async () => {
  who = await furnished();
  const admin = await owner();
  const issue = async (more: object) =>
    (await rest(admin, "POST", "/v1/keys", { account: who.account, name: "bad", ...more })).body;
  expired = (await issue({ expires_in: 1 })).api_key;
  const gone = await issue({});
  revoked = gone.api_key;
  // Used before it is revoked: nothing may remember that it was good.
  expect((await rest(revoked, "GET", "/v1/usage")).status).toBe(200);
  expect((await rest(admin, "DELETE", `/v1/keys/${gone.id}?account=${who.account}`)).status).toBe(200);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
});

/** Another whole key of the same account, with a checksum that fits, that was never issued. */
async function forged(): Promise<string> {
  const { mintKey } = await import("../../src/auth/keys.ts");
  return (await mintKey(who.account)).key;
}
async function ofNoAccount(): Promise<string> {
  const { mintKey, newAccountId } = await import("../../src/auth/keys.ts");
  return (await mintKey(newAccountId())).key;
}

const credentials: [
  string,
  () => string | null | Promise<string>,
  "unauthenticated" | "key_expired" | "key_revoked",
][] = [
  ["absent", () => null, "unauthenticated"],
  ["truncated", () => who.key.slice(0, -3), "unauthenticated"],
  ["damaged", () => who.key.replace(/.$/, (c) => (c === "0" ? "1" : "0")), "unauthenticated"],
  ["forged", forged, "unauthenticated"],
  ["of no account", ofNoAccount, "unauthenticated"],
  ["a text", () => "hunter2", "unauthenticated"],
  ["very long", () => `wp_${"a".repeat(5_000)}`, "unauthenticated"],
  ["expired", () => expired, "key_expired"],
  ["revoked", () => revoked, "key_revoked"],
];

const good = '{"query":"private"}';
/** Requests good and bad: who is not known learns nothing about what was wrong with them. */
const requests: [string, string, BodyInit, Record<string, string>?][] = [
  ["a good call", "/v1/search", good],
  ["an invalid field", "/v1/search", '{"colour":1}'],
  ["no JSON", "/v1/search", "{"],
  ["an array", "/v1/search", "[]"],
  ["another content type", "/v1/search", good, { "Content-Type": "text/plain" }],
  ["a bad idempotency key", "/v1/search", good, { "Idempotency-Key": "a b" }],
  ["a streamed chat", "/v1/chat", '{"message":"hi","model":"paid/echo","stream":true}'],
  ["an unknown model", "/v1/chat", '{"message":"hi","model":"nobody/none"}'],
  ["a body too large", "/v1/search", " ".repeat(17 * 1024 * 1024)],
  ["a large body", "/v1/documents", JSON.stringify({ documents: [{ text: "x".repeat(100_000) }] })],
  ["over MCP, a good call", "/mcp", JSON.stringify(toolCall("usage", {}))],
  ["over MCP, a good call of today's client", "/mcp", JSON.stringify(toolCall("usage", {}, true))],
  ["over MCP, with progress", "/mcp", JSON.stringify(progressing())],
  ["over MCP, an invalid field", "/mcp", JSON.stringify(toolCall("search", { colour: 1 }))],
  ["over MCP, an unknown tool", "/mcp", JSON.stringify(toolCall("nothing", {}))],
  ["over MCP, a malformed call", "/mcp", JSON.stringify(toolCall(5, []))],
  ["over MCP, a list of tools", "/mcp", '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'],
  ["over MCP, an unknown method", "/mcp", '{"jsonrpc":"2.0","id":1,"method":"nothing"}'],
  ["over MCP, an initialize", "/mcp", '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}'],
  ["over MCP, no JSON", "/mcp", "{"],
  ["over MCP, a batch", "/mcp", "[]"],
];

function progressing() {
  const message = toolCall("chat", { message: "hi", model: "paid/echo" });
  Object.assign(message.params, { _meta: { progressToken: 1 } });
  return message;
}

describe.each(credentials)("a key that is %s", (_, credential, code) => {
  it.each(requests)("%s: 401 with a challenge", async (_what, path, body, headers = {}) => {
    const key = await credential();
    const call = () => send(path, { key, body, headers: { ...MCP_HEADERS, ...headers } });
    await refused(who, call, code, key && key.length > 20 ? [key] : []);
    const reply = await call();
    expect(reply.status).toBe(401);
    expect(reply.headers.get("www-authenticate")).toMatch(/^Bearer realm="waypost"/);
  });

  it.each(["GET", "DELETE"])("%s /mcp: 401 with a challenge", async (method) => {
    const key = await credential();
    await refused(who, () => send("/mcp", { key, method, headers: MCP_HEADERS }), code);
  });
});

it.each(["Basic d2F5OnBvc3Q=", "Bearer", "bearer  ", "Token x"])(
  "the Authorization header %j is a 401",
  async (value) => {
    for (const path of ["/v1/search", "/mcp"]) {
      await refused(who, () => send(path, { body: good, headers: { Authorization: value } }), "unauthenticated");
    }
  },
);

it("a key is not read from the query", async () => {
  for (const name of ["api_key", "key", "access_token", "token"]) {
    const path = `/v1/usage?${name}=${who.key}`;
    await refused(who, () => send(path, { method: "GET" }), "unauthenticated");
  }
});

it("the setup token opens /setup only, and nothing else opens that", async () => {
  const token = "setup-token-of-the-test-suite";
  await refused(who, () => send("/v1/usage", { key: token, method: "GET" }), "unauthenticated", [token]);
  await refused(who, () => send("/setup", { key: who.key, body: "{}" }), "unauthenticated", [token]);
  await refused(who, () => send("/setup", { key: token, body: "{" }), "invalid_json", [token]);
  await refused(who, () => send("/setup", { key: token, body: "{}" }), "conflict", [token]);
});

describe("a key without the scope", () => {
  const scoped: [string, string, string, object][] = [
    ["chat", "/v1/chat", "chat", { message: "hi" }],
    ["search", "/v1/search", "search", { query: "private" }],
    ["search", "/v1/fetch", "fetch", { id: "own-document" }],
    ["documents:write", "/v1/documents", "add_documents", { documents: [{ id: "own-document", text: "other" }] }],
    ["documents:write", "/v1/documents/delete", "delete_document", { id: "own-document" }],
    ["sync", "/v1/sync", "sync_session", {}],
  ];
  let usageOnly: string;
  beforeAll(async () => {
    const spec = { account: who.account, name: "usage only", scopes: ["usage"] };
    usageOnly = (await rest(await owner(), "POST", "/v1/keys", spec)).body.api_key;
  });

  it.each(scoped)("%s: POST %s and the tool %s name the scope", async (scope, path, tool, input) => {
    const calls: (() => Promise<Reply>)[] = [
      () => send(path, { key: usageOnly, body: JSON.stringify(input) }),
      () => sendMcp(usageOnly, toolCall(tool, input)),
      () => sendMcp(usageOnly, toolCall(tool, input, true)),
    ];
    for (const call of calls) {
      const problem = await refused(who, call, "insufficient_scope", [usageOnly]);
      expect(problem.required_scope).toBe(scope);
      expect((await call()).headers.get("www-authenticate")).toContain(`scope="usage ${scope}"`);
    }
  });

  it("keys and accounts are out of its reach", async () => {
    const reach: [string, string, object?][] = [
      ["GET", "/v1/keys"],
      ["POST", "/v1/keys", { name: "more" }],
      ["DELETE", `/v1/keys/${who.keyId}`],
      ["POST", "/v1/admin/accounts", { name: "mine" }],
      ["GET", `/v1/admin/accounts/${who.account}`],
      ["POST", `/v1/admin/accounts/${who.account}/credit`, { id: "x", nano_usd: 5 }],
    ];
    for (const [method, path, body] of reach) {
      const call = () => send(path, { key: who.key, method, ...(body ? { body: JSON.stringify(body) } : {}) });
      await refused(who, call, "insufficient_scope");
    }
  });

  it("a key makes no key that can do more than itself", async () => {
    const { key } = await account("enterprise", { scopes: ["account", "usage"] });
    const body = JSON.stringify({ name: "more", scopes: ["usage", "admin"] });
    const problem = await refused({ ...who, key }, () => send("/v1/keys", { key, body }), "insufficient_scope");
    expect(problem.required_scope).toBe("admin");
  });
});
