import { SELF } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { addDocuments } from "../../src/tools/add_documents.ts";
import { recordedCall } from "./call.ts";
import { account, agent, agentOf2025, ORIGIN, rest } from "./client.ts";
import { MCP_HEADERS } from "./refusal.ts";

const library = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `doc-${i}`, text: `Page ${i}. ${"Tea and harbours. ".repeat(200)}` }));

interface Told {
  progress: number;
  total?: number | undefined;
  message?: string | undefined;
}

async function count(key: string): Promise<number> {
  const { changes } = (await rest(key, "POST", "/v1/sync", { limit: 500 })).body;
  return changes.filter(({ kind }: { kind: string }) => kind === "document").length;
}

/** Waits until no more documents come. */
async function settled(key: string): Promise<number> {
  for (let before = -1; ; ) {
    const now = await count(key);
    if (now === before) return now;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

describe("progress", () => {
  const expected = library(5).map(({ id }, i) => ({ progress: i + 1, total: 5, message: id }));

  it("of each document, in order, to a client of 2026", async () => {
    const { key } = await account();
    const client = await agent(key);
    const told: Told[] = [];
    const onprogress = (progress: Told) => void told.push(progress);
    await client.callTool({ name: "add_documents", arguments: { documents: library(5) } }, { onprogress });
    expect(told).toEqual(expected);
    await client.close();
  });

  it("and to one of 2025", async () => {
    const { key } = await account();
    const client = await agentOf2025(key);
    const told: Told[] = [];
    const onprogress = (progress: Told) => void told.push(progress);
    await client.callTool({ name: "add_documents", arguments: { documents: library(5) } }, undefined, { onprogress });
    expect(told).toEqual(expected);
    await client.close();
  });
});

describe("cancelling", () => {
  it("a notification of 2025 ends it, keeps what is stored and says how much that is", async () => {
    const { key } = await account();
    const documents = library(100);
    const headers = {
      ...MCP_HEADERS,
      Authorization: `Bearer ${key}`,
      "User-Agent": "cancels/1",
      "Content-Type": "application/json",
    };
    const post = (body: object) =>
      SELF.fetch(`${ORIGIN}/mcp`, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", ...body }) });
    const params = { name: "add_documents", arguments: { documents }, _meta: { progressToken: "p" } };
    const response = await post({ id: 5, method: "tools/call", params });
    let text = "";
    let cancelled = false;
    for await (const bytes of response.body ?? []) {
      text += new TextDecoder().decode(bytes);
      if (cancelled || !text.includes("notifications/progress")) continue;
      cancelled = true;
      const answer = await post({ method: "notifications/cancelled", params: { requestId: 5 } });
      expect(answer.status).toBe(202);
    }
    const last = JSON.parse(
      text
        .trim()
        .split("\n")
        .findLast((line) => line.startsWith("data: "))
        ?.slice(6) ?? "{}",
    );
    const problem = last.result._meta["waypost/problem"];
    expect(problem.code).toBe("client_closed");
    const stored = problem.stored.length;
    expect(problem.detail).toBe(`The call was cancelled. ${stored} of 100 documents are stored, the others are not.`);
    expect(stored).toBeGreaterThan(0);
    expect(stored).toBeLessThan(100);
    expect(problem.stored).toEqual(documents.slice(0, stored).map(({ id }) => id));
    expect(await settled(key)).toBe(stored);
    const again = await rest(key, "POST", "/v1/documents", { documents });
    const statuses = again.body.documents.map(({ status }: { status: string }) => status);
    expect(statuses.filter((status: string) => status === "unchanged")).toHaveLength(stored);
    expect(statuses.filter((status: string) => status === "created")).toHaveLength(100 - stored);
  });

  it("whoever does not read along gets all of it stored", async () => {
    const { key } = await account();
    expect((await rest(key, "POST", "/v1/documents", { documents: library(30) })).status).toBe(200);
    expect(await count(key)).toBe(30);
  });
});

it("a deadline says how far it came", async () => {
  const call = recordedCall({} as never, { deadlineMs: 0 });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const run = addDocuments.run(call, { documents: [{ id: "a", text: "Words" }] });
  await expect(run).rejects.toMatchObject({
    code: "deadline_exceeded",
    detail: "0 of 1 documents are stored, the others are not.",
  });
});
