import { beforeAll, describe, expect, it } from "vitest";
import { ORIGIN, type Reply } from "./client.ts";
import { configureModels } from "./provider.ts";
import { type Caller, furnished, MCP_HEADERS, refused, send, toolCall } from "./refusal.ts";

configureModels();

let who: Caller;
beforeAll(async () => {
  who = await furnished();
});

const good = '{"query":"private"}';

describe("pages of other origins", () => {
  const cors = (reply: Reply) => reply.headers.get("access-control-allow-origin");
  const call = (path: string, origin: string) =>
    send(path, {
      key: who.key,
      body: path === "/mcp" ? JSON.stringify(toolCall("usage", {})) : good,
      headers: { ...MCP_HEADERS, Origin: origin },
    });

  it.each(["http://localhost:6274", "http://127.0.0.1:8080"])("%s may call, and sees the headers", async (origin) => {
    for (const path of ["/v1/search", "/mcp"]) {
      const reply = await call(path, origin);
      expect(reply.status).toBe(200);
      expect(cors(reply)).toBe(origin);
      expect(reply.headers.get("vary")).toMatch(/origin/i);
      const exposed = (reply.headers.get("access-control-expose-headers") ?? "").toLowerCase().split(", ");
      expect(exposed).toEqual(expect.arrayContaining(["retry-after", "www-authenticate", "x-request-id", "ratelimit"]));
      expect(reply.headers.get("access-control-allow-credentials")).toBeNull();
    }
  });

  it.each(["http://localhost:6274"])("%s sees why a call was refused", async (Origin) => {
    for (const path of ["/v1/search", "/mcp"]) {
      const reply = await send(path, { body: good, headers: { Origin } });
      expect([reply.status, cors(reply)]).toEqual([401, Origin]);
      expect(reply.headers.get("www-authenticate")).not.toBeNull();
    }
  });

  const foreign = [
    "https://evil.example",
    "http://localhost.evil.example:80",
    "http://localhost:80.evil.example",
    "https://localhost:6274",
    "null",
  ];
  it.each(foreign)("%s gets no CORS headers, and no MCP at all", async (origin) => {
    const reply = await call("/v1/search", origin);
    expect(cors(reply)).toBeNull();
    expect(reply.headers.get("access-control-expose-headers")).toBeNull();
    await refused(who, () => call("/mcp", origin), "origin_not_allowed");
    expect(cors(await call("/mcp", origin))).toBeNull();
    for (const path of ["/v1/search", "/mcp"]) {
      const preflight = await send(path, { method: "OPTIONS", headers: { Origin: origin } });
      expect([preflight.status, cors(preflight)]).toEqual([403, null]);
      expect(preflight.headers.get("vary")).toBe("Origin");
      expect(preflight.body).toMatchObject({
        code: "origin_not_allowed",
        request_id: preflight.headers.get("x-request-id"),
      });
    }
  });

  it("a preflight allows what a call needs", async () => {
    const Origin = "http://localhost:6274";
    const reply = await send("/mcp", { method: "OPTIONS", headers: { Origin } });
    expect([reply.status, cors(reply)]).toEqual([204, Origin]);
    const allowed = (reply.headers.get("access-control-allow-headers") ?? "").toLowerCase();
    for (const name of ["authorization", "content-type", "idempotency-key", "mcp-protocol-version", "mcp-method"]) {
      expect(allowed).toContain(name);
    }
  });

  it("a preflight of another API's client allows the headers it sends, and no nonsense", async () => {
    const allowed = async (asked: string) => {
      const headers = { Origin: "http://localhost:6274", "Access-Control-Request-Headers": asked };
      const reply = await send("/v1/chat/completions", { method: "OPTIONS", headers });
      expect([reply.status, reply.headers.get("vary")]).toEqual([204, "Origin, Access-Control-Request-Headers"]);
      return reply.headers.get("access-control-allow-headers");
    };
    const asked = "anthropic-beta,anthropic-version,authorization,content-type,x-stainless-lang";
    expect(await allowed(asked)).toBe(asked);
    for (const odd of ["a b", "<script>", "x".repeat(5_000)]) expect(await allowed(odd)).toMatch(/^Authorization, /);
  });

  it.each(["/v1/search", "/mcp", "/nothing"])(
    "OPTIONS %s without an origin says which methods there are",
    async (path) => {
      const reply = await send(path, { method: "OPTIONS" });
      expect([reply.status, cors(reply)]).toEqual([204, null]);
      expect(reply.headers.get("allow")).toBe("GET, POST, PATCH, DELETE, OPTIONS");
      expect(reply.headers.get("x-request-id")).toMatch(/^req_/);
    },
  );

  it("a page of the server itself may use MCP", async () => {
    expect((await call("/mcp", ORIGIN)).status).toBe(200);
  });
});
