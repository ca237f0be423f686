import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fault } from "../fuzz/check.ts";
import { type Answer, Connection } from "../fuzz/connection.ts";
import type { Input } from "../fuzz/input.ts";
import { Lane } from "../fuzz/lane.ts";
import { refusalOf } from "../fuzz/refusal.ts";
import { surfaceOf } from "../fuzz/rest_requests.ts";
import { type Caller, openCaller, startWorld, type World } from "../fuzz/world.ts";

/** Inputs that were once answered as they must not be, in their least form. */

let world: World;
let caller: Caller;
beforeAll(async () => {
  world = await startWorld();
  caller = await openCaller(world, 1);
});
afterAll(() => world?.close());

interface Case {
  method?: string;
  target?: string;
  headers?: Record<string, string>;
  body?: object | string;
  malformed?: boolean;
}

async function send({ method = "POST", target = "/mcp", headers = {}, body, malformed = false }: Case) {
  const { host, key } = caller.materials.own;
  const all = { Host: host, Authorization: `Bearer ${key}`, Accept: "application/json, text/event-stream", ...headers };
  const text = typeof body === "object" ? JSON.stringify(body) : body;
  const input: Input = {
    n: 0,
    surface: target.startsWith("/mcp") ? "mcp" : surfaceOf(target),
    method,
    target,
    headers: [
      ...Object.entries(all),
      ...(text === undefined ? [] : [["Content-Type", "application/json"] as [string, string]]),
    ],
    body: text === undefined ? null : Buffer.from(text),
    framing: { kind: "length", lie: 0 },
    delivery: { kind: "whole" },
    malformed,
    mayStayOpen: false,
  };
  const connection = new Connection(world.port);
  const answer = await connection.send(input);
  connection.close();
  expect(fault(input, answer, { never: world.secrets, lane: 1 })).toBeNull();
  const { status } = answer as Answer;
  return { status, code: refusalOf(input.surface, answer as Answer)?.code };
}

const rpc = (method: string, params?: object): object => ({
  jsonrpc: "2.0",
  id: 1,
  method,
  ...(params ? { params } : {}),
});
const MODERN = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "c", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
const modern = (method: string, params: { name?: string } = {}): Case => ({
  headers: {
    "Mcp-Protocol-Version": "2026-07-28",
    "Mcp-Method": method,
    ...(params.name ? { "Mcp-Name": params.name } : {}),
  },
  body: rpc(method, { ...params, _meta: MODERN }),
});

describe("what the protocol's schemas refuse is the caller's mistake", () => {
  test.each<[string, object | undefined]>([
    ["prompts/get", undefined],
    ["prompts/get", { name: "answer.grounded", arguments: 5 }],
    ["completion/complete", undefined],
    ["resources/read", undefined],
    ["tools/list", { cursor: 5 }],
    ["initialize", {}],
  ])("%s of 2025 with %j", async (method, params) => {
    expect((await send({ body: rpc(method, params) })).code).toBe("invalid_input");
  });

  test("prompts/get of 2026 without a name", async () => {
    expect((await send(modern("prompts/get", {}))).code).toBe("invalid_input");
  });

  test("subscriptions/listen of 2026 without a filter", async () => {
    expect((await send(modern("subscriptions/listen"))).code).toBe("invalid_input");
  });
});

test.each(["server/discover", "subscriptions/listen"])("%s is no method of 2025", async (method) => {
  expect((await send({ body: rpc(method) })).code).toBe("unknown_method");
});

describe("in a session", () => {
  const inSession = () => ({ "Mcp-Session-Id": caller.materials.own.sessions[0] as string });

  test("HEAD and PUT are not allowed", async () => {
    expect((await send({ method: "HEAD", headers: inSession() })).status).toBe(405);
    expect(await send({ method: "PUT", headers: inSession(), body: {} })).toMatchObject({
      status: 405,
      code: "method_not_allowed",
    });
  });

  test("a stream of another protocol is a bad header", async () => {
    const headers = { ...inSession(), "Mcp-Protocol-Version": "2026-07-28" };
    expect(await send({ method: "GET", headers })).toMatchObject({ status: 400, code: "invalid_header" });
  });
});

test("a body whose framing is broken is no failure of the server", async () => {
  const broken = { malformed: true, headers: { "Transfer-Encoding": "gzip, chunked" }, body: "{}" };
  expect((await send({ ...broken, target: "/mcp" })).status).toBe(400);
  expect((await send({ ...broken, target: "/v1/search" })).status).toBe(400);
});

test("a word with a hyphen can be left out of what a model is told", async () => {
  const body = { message: "the well-known tea", redact_terms: ["well-known"], model: "paid/echo" };
  expect((await send({ target: "/v1/chat", body })).status).toBe(200);
});

test.each<[string, object]>([
  ["/v1/chat/completions", { messages: [{}], tools: [{ type: "function", function: { name: {} } }] }],
  ["/v1/chat/completions", { messages: [{ role: "user", content: [{ type: "text", text: {} }] }] }],
  ["/v1/responses", { input: "tea?", tools: [{ type: "function", name: {} }] }],
  ["/v1/responses", { input: [{ role: "user", content: [{ type: "input_text", text: {} }] }] }],
])("%s says that a provider refused what is no string: %j", async (target, asked) => {
  expect(await send({ target, body: { model: "paid/echo", ...asked } })).toMatchObject({ status: 400 });
});

test("OPTIONS of the server as a whole is answered, as one without an origin", async () => {
  expect((await send({ method: "OPTIONS", target: "*", malformed: true })).status).toBe(204);
});

test("no Worker can take CONNECT: the runtime says so", async () => {
  expect((await send({ method: "CONNECT", malformed: true })).status).toBe(500);
});

test("a body in chunks of one byte is read whole", async () => {
  const { host, key } = caller.materials.own;
  const headers: Input["headers"] = [
    ["Host", host],
    ["Authorization", `Bearer ${key}`],
    ["Content-Type", "application/json"],
  ];
  const body = Buffer.from(JSON.stringify({ query: "tea", text: "y".repeat(1_500) }));
  const connection = new Connection(world.port);
  const answer = await connection.send({
    n: 0,
    surface: "rest",
    method: "POST",
    target: "/v1/search",
    headers,
    body,
    framing: { kind: "chunked", sizes: [1], extra: ";q" },
    delivery: { kind: "whole" },
    malformed: false,
    mayStayOpen: false,
  });
  connection.close();
  expect(refusalOf("rest", answer as Answer)?.code).toBe("invalid_input");
  expect((answer as Answer).text).toContain("text: There is no such field.");
});

test("of a body that was announced and never sent, nothing is counted", async () => {
  const lane = new Lane(world, caller);
  const { host, key } = caller.materials.own;
  const input: Input = {
    n: 0,
    surface: "mcp",
    method: "POST",
    target: "/mcp",
    headers: [
      ["Host", host],
      ["Authorization", `Bearer ${key}`],
      ["Content-Type", "application/json"],
      ["Transfer-Encoding", "gzip, chunked"],
    ],
    body: Buffer.alloc(0),
    framing: { kind: "length", lie: 0 },
    delivery: { kind: "cut", at: 10_000, waitMs: 100 },
    malformed: true,
    mayStayOpen: false,
  };
  expect(await lane.suspect(input)).toBeNull();
  expect(lane.statuses.get("left")).toBe(1);
  lane.close();
});
