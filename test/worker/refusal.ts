import { env, SELF } from "cloudflare:test";
import { expect, inject } from "vitest";
import type { Env } from "../../src/env.ts";
import { type ErrorCode, type Problem, unwrap } from "../../src/errors.ts";
import type { VaultApi } from "../../src/vault/types.ts";
import { entryOf } from "./both_doors.ts";
import { account, MODERN, ORIGIN, type Reply } from "./client.ts";
import { UPSTREAM_KEY } from "./provider.ts";

/** Calls that must fail, and all that must hold of every failure. */

export interface Caller {
  account: string;
  key: string;
  keyId: string;
}

/** Everything of an account that a refused call could have changed, read past the gate. */
export async function stateOf(id: string) {
  const { VAULT, LEDGER, BLOBS } = env as unknown as Env;
  const vault = VAULT.get(VAULT.idFromName(id)) as unknown as VaultApi;
  const documents = unwrap(await vault.pull({ limit: 500, kinds: ["document"] })).changes.length;
  const books = unwrap(await LEDGER.get(LEDGER.idFromName(id)).audit());
  return {
    cursor: unwrap(await vault.ping()),
    documents,
    originals: (await BLOBS.list({ prefix: `${id}/` })).objects.length,
    cost: books.settled_cost_nano,
    balance: books.balance_nano,
    reserved: books.reserved_nano,
    consistent: books.consistent,
  };
}

/** A request by hand: `body` goes out as it is. */
export async function send(
  path: string,
  init: {
    key?: string | null;
    method?: string;
    body?: BodyInit | null;
    headers?: Record<string, string>;
  },
): Promise<Reply> {
  const { key, method = "POST", body, headers } = init;
  const response = await SELF.fetch(`${ORIGIN}${path}`, {
    method,
    headers: {
      ...(key ? { Authorization: `Bearer ${key}` } : {}),
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body === undefined || body === null ? {} : { body }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** What the two kinds of MCP client put around a message. */
export const MCP_HEADERS = { Accept: "application/json, text/event-stream" };

/** A tool call as a 2025 client sends it, or with the envelope of today's. */
export function toolCall(name: unknown, args?: unknown, modern = false) {
  const envelope = {
    _meta: {
      "io.modelcontextprotocol/protocolVersion": MODERN,
      "io.modelcontextprotocol/clientInfo": { name: "by-hand", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  };
  const params = { name, ...(args === undefined ? {} : { arguments: args }), ...(modern ? envelope : {}) };
  return { jsonrpc: "2.0", id: 7, method: "tools/call", params };
}

/** Sends one message to the MCP door by hand. */
export function sendMcp(key: string | null, message: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const body = typeof message === "string" ? message : JSON.stringify(message);
  const params = (message as { params?: { name?: unknown; _meta?: object } } | null)?.params;
  const modern = Object.hasOwn(Object(params?._meta), "io.modelcontextprotocol/protocolVersion");
  const told: Record<string, string> = modern
    ? { "Mcp-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": String(params?.name) }
    : {};
  return send("/mcp", { key, body, headers: { ...MCP_HEADERS, ...told, ...headers } });
}

/** The problem in a reply of either door, and where MCP put it. */
export function problemIn({ body }: Reply): { problem: Problem; where: "rest" | "result" | "rpc" } {
  const message = typeof body === "string" ? JSON.parse(/^data: (.*)$/m.exec(body)?.[1] ?? "{}") : body;
  if (message.jsonrpc !== "2.0") return { problem: message, where: "rest" };
  if (message.error) return { problem: message.error.data, where: "rpc" };
  expect(message.result).toMatchObject({ isError: true, content: [{ type: "text" }] });
  expect(message.result).not.toHaveProperty("structuredContent");
  const problem = message.result._meta["waypost/problem"] as Problem;
  expect(message.result.content[0].text).toContain(problem.code);
  expect(message.result.content[0].text).toContain(problem.next);
  return { problem, where: "result" };
}

/** All that must hold of every failure, whatever was wrong and whichever door it came through. */
export function expectProblem(reply: Reply, code: ErrorCode, secrets: readonly string[] = []): Problem {
  const { problem, where } = problemIn(reply);
  expect(problem?.code, JSON.stringify(reply.body)).toBe(code);
  const entry = entryOf(problem);
  expect(problem).toMatchObject({ title: entry.title, next: entry.next, type: `/errors/${code}` });
  // Of money that running calls hold there is enough later; a budget that begins anew may still be too small for the call.
  const { retry_after, resets_at } = problem;
  const helped = retry_after !== undefined ? ["later"] : [entry.retry, ...(resets_at !== undefined ? ["later"] : [])];
  expect(entry.status === 402 ? helped : [entry.retry]).toContain(problem.retry);
  expect(problem.detail.trim()).not.toBe("");
  expect(problem.request_id).toBe(reply.headers.get("x-request-id"));
  if (where === "rest") {
    expect(reply.headers.get("content-type")).toBe("application/problem+json");
    expect([reply.status, problem.status]).toEqual([entry.status, entry.status]);
  }
  expect(reply.status).not.toBe(500);
  expect(problem.code).not.toBe("internal");
  const charged = problem.charged_nano_usd;
  expect(reply.headers.get("x-waypost-cost-nano-usd")).toBe(charged === undefined ? null : String(charged));
  const challenged = entry.status === 401 || problem.required_scope !== undefined;
  expect(reply.headers.get("www-authenticate") !== null).toBe(challenged);
  if (problem.retry_after !== undefined) expect(reply.headers.get("retry-after")).toBe(String(problem.retry_after));
  expectClean(reply, secrets);
  return problem;
}

/** Nothing of the inside shows: no stack, no words or address of the provider, no key. */
export function expectClean(reply: Reply, secrets: readonly string[] = []): void {
  const all = JSON.stringify([...reply.headers, reply.body]);
  expect(all).not.toMatch(/\bat \S+ \(|\.ts:\d+|node_modules|src\/|TypeError|ZodError|SQLITE/);
  expect(all).not.toMatch(/secret upstream|sk-|upstream_error|oops|<html>/);
  const { host } = new URL(inject("upstreamUrl"));
  for (const secret of [UPSTREAM_KEY, host, "127.0.0.1:9", ...secrets.map(provingPart)])
    expect(all).not.toContain(secret);
}

/**
 * The part of a credential that proves anything, or all of it when it has no such part. Of a JWT that is the signature:
 * its claims may name what an answer names too.
 */
export function provingPart(secret: string): string {
  if (secret.startsWith("wp_")) return secret.split("_")[2] || secret;
  if (secret.startsWith("usr_")) return secret.split(".")[1] || secret;
  if (secret.startsWith("eyJ")) return secret.split(".")[2] || secret;
  return secret.split(":")[2] || secret;
}

/** Makes a call that must fail with `code`, and checks that it left the account as it was. */
export async function refused(
  who: Caller,
  call: () => Promise<Reply>,
  code: ErrorCode,
  secrets: readonly string[] = [],
): Promise<Problem> {
  const before = await stateOf(who.account);
  const reply = await call();
  const problem = expectProblem(reply, code, [who.key, ...secrets]);
  expect(await stateOf(who.account)).toEqual(before);
  expect(before).toMatchObject({ reserved: 0, consistent: true });
  return problem;
}

/** An account that has something to lose: a document, a session with a message. */
export async function furnished(plan?: string, key?: Record<string, unknown>): Promise<Caller> {
  const who = await account(plan, key);
  const json = (path: string, body: object) => send(path, { key: who.key, body: JSON.stringify(body) });
  const message = { id: "msg-own", role: "user", content: "private words", created_at: "2026-01-31T12:00:00Z" };
  const push = [
    { id: "m1", kind: "session.create", session_id: "own-session", title: "private title" },
    { id: "m2", kind: "message.append", session_id: "own-session", messages: [message] },
  ];
  const made = [
    await json("/v1/documents", { documents: [{ id: "own-document", text: "private text" }] }),
    await json("/v1/sync", { device_id: "own-device", push }),
  ];
  expect(made.map(({ status }) => status)).toEqual([200, 200]);
  return who;
}
