import { setTimeout as sleep } from "node:timers/promises";
import type { ConformanceWorld } from "./world.ts";

/** Calls that are given up while they run, in every way there is, and the streams that are open afterwards. */

export const WAYS = ["2026, cut", "2025, cut", "session, cut", "session, cancelled"] as const;
export type Way = (typeof WAYS)[number];

export interface Leaks {
  /** Calls that had begun to stream when they were given up. */
  given: number;
  /** Streams open while the calls ran. */
  most: number;
  /** Streams open two seconds after the last was given up, in the Worker and in the session. */
  left: { door: number; session: number };
}

const AT_ONCE = 20;

/** Gives up `calls` calls, some at a time. */
export async function giveUp(world: ConformanceWorld, way: Way, calls: number): Promise<Leaks> {
  let given = 0;
  let most = 0;
  let next = 0;
  // Looked at from within a call that streams, so that there is something to see.
  const look = async () => {
    const { door, session } = await openStreams(world, client.session);
    most = Math.max(most, door, session);
  };
  const client = await clientOf(world, way, look);
  const one = async () => {
    while (next < calls) if (await client.callAndLeave(++next)) given++;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  let left = await openStreams(world, client.session);
  for (let i = 0; i < 40 && left.door + left.session > 0; i++) {
    await sleep(50);
    left = await openStreams(world, client.session);
  }
  return { given, most, left };
}

async function openStreams(world: ConformanceWorld, session = ""): Promise<Leaks["left"]> {
  const response = await fetch(`${world.url}/conformance/streams?session=${session}`);
  return (await response.json()) as Leaks["left"];
}

/** `streaming`: told when the first call of so many streams. */
async function clientOf(world: ConformanceWorld, way: Way, streaming: () => Promise<void>) {
  const post = (body: object, headers: Record<string, string>, signal?: AbortSignal) =>
    fetch(world.mcp, {
      method: "POST",
      headers: {
        authorization: `Bearer ${world.apiKey}`,
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "x-conformance-gauge": "1",
        ...headers,
      },
      body: JSON.stringify({ jsonrpc: "2.0", ...body }),
      ...(signal ? { signal } : {}),
    });
  const modern = way === "2026, cut";
  const version = modern ? "2026-07-28" : "2025-11-25";
  const named = modern ? { "mcp-method": "tools/call", "mcp-name": "test_slow" } : undefined;
  const headers: Record<string, string> = { "mcp-protocol-version": version, ...named };
  if (way.startsWith("session")) {
    const params = {
      protocolVersion: version,
      capabilities: { sampling: {} },
      clientInfo: { name: "t", version: "1" },
    };
    const opened = await post({ id: 0, method: "initialize", params }, {});
    await opened.text();
    headers["mcp-session-id"] = opened.headers.get("mcp-session-id") ?? "";
  }
  const envelope = modern && {
    "io.modelcontextprotocol/protocolVersion": version,
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  /** Calls, waits until the call has begun to say something, and leaves. */
  const callAndLeave = async (id: number): Promise<boolean> => {
    const leave = new AbortController();
    const params = { name: "test_slow", arguments: {}, _meta: { ...envelope, progressToken: id } };
    const response = await post({ id, method: "tools/call", params }, headers, leave.signal);
    const reader = response.body?.getReader();
    let said = "";
    while (!said.includes("notifications/progress")) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) return false;
      said += new TextDecoder().decode(value);
    }
    if (id % AT_ONCE === 1) await streaming();
    if (way === "session, cancelled") {
      const cancelled = { method: "notifications/cancelled", params: { requestId: id, reason: "enough" } };
      await (await post(cancelled, headers)).text();
      while (!(await reader?.read())?.done);
    } else {
      leave.abort();
    }
    return true;
  };
  return { callAndLeave, session: headers["mcp-session-id"] };
}
