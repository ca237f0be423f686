import { errorCatalogue, type Problem } from "../../src/errors.ts";
import { toolNamed } from "../../src/tools/registry.ts";
import { agent, agentOf2025, rest } from "./client.ts";

/** One way in: REST, MCP with today's client, MCP with the client of 2025. */
export type Door = "rest" | "mcp" | "mcp of 2025";
export const DOORS: readonly Door[] = ["rest", "mcp", "mcp of 2025"];

/** What a call came to, told the same for every door. */
export interface Told {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the tool says
  data?: any;
  problem?: Problem;
  /** The code of `problem`, or `ok`. */
  code: string;
  /** Nano-USD. */
  cost: number;
  replayed: boolean;
  /** MCP: the text channel. */
  text?: string;
  /** MCP: the pieces that came as progress. REST: those that came as events, when a stream was asked for. */
  deltas: string[];
  /** Everything that was received, to look for what must not be in it. */
  raw: string;
}

export interface How {
  idempotencyKey?: string;
  stream?: boolean;
}

type Input = Record<string, unknown>;

/** Calls a tool through a door. */
export function callThrough(door: Door, key: string, tool: string, input: Input, how: How = {}): Promise<Told> {
  return door === "rest" ? callRest(key, tool, input, how) : callMcp(door, key, tool, input, how);
}

async function callRest(key: string, name: string, input: Input, how: How): Promise<Told> {
  const tool = toolNamed(name);
  if (!tool) throw new Error(`${name} is not in the registry`);
  const query = Object.entries(input).map(([field, value]) => [field, String(value)]);
  const get = tool.rest.method === "get";
  const path = `/v1${tool.rest.path}${get && query.length > 0 ? `?${new URLSearchParams(query)}` : ""}`;
  const reply = await rest(key, tool.rest.method.toUpperCase(), path, get ? undefined : input, {
    ...(how.idempotencyKey === undefined ? {} : { "Idempotency-Key": how.idempotencyKey }),
    ...(how.stream ? { Accept: "text/event-stream" } : {}),
  });
  const events = typeof reply.body === "string" ? readEvents(reply.body) : [];
  const last = events.at(-1);
  const body = last ? last.data : reply.body;
  const failed = last ? last.event === "error" : reply.status !== 200;
  return {
    ...(failed ? { problem: body } : { data: body }),
    code: failed ? body.code : "ok",
    cost: last ? (body.cost?.nano_usd ?? 0) : Number(reply.headers.get("x-waypost-cost-nano-usd") ?? 0),
    replayed: reply.headers.get("idempotency-replayed") === "true",
    deltas: events.flatMap(({ event, data }) => (event === "delta" ? [data.text as string] : [])),
    raw: JSON.stringify([...reply.headers, reply.body]),
  };
}

/** Server-sent events of one answer, comments left out. */
export function readEvents(text: string) {
  return text
    .split("\n\n")
    .filter((frame) => /^event: /m.test(frame))
    .map((frame) => {
      const [, event = "", data = ""] = /^event: (\w+)\ndata: (.*)$/m.exec(frame) ?? [];
      return { event, data: JSON.parse(data) };
    });
}

interface McpResult {
  isError?: boolean;
  content: { type: string; text?: string }[];
  structuredContent?: Input;
  _meta?: Record<string, unknown>;
}

async function callMcp(door: Door, key: string, name: string, input: Input, how: How): Promise<Told> {
  const deltas: string[] = [];
  const params = {
    name,
    arguments: input,
    ...(how.idempotencyKey === undefined ? {} : { _meta: { "waypost/idempotency-key": how.idempotencyKey } }),
  };
  const onprogress = ({ message }: { message?: string | undefined }) => void deltas.push(message ?? "");
  const options = how.stream ? { onprogress } : {};
  let result: McpResult;
  if (door === "mcp") {
    const client = await agent(key);
    result = (await client.callTool(params, options)) as McpResult;
    await client.close();
  } else {
    const client = await agentOf2025(key);
    result = (await client.callTool(params, undefined, options)) as McpResult;
    await client.close();
  }
  const problem = result._meta?.["waypost/problem"] as Problem | undefined;
  return {
    ...(result.isError ? { problem: problem as Problem } : { data: result.structuredContent }),
    code: result.isError ? (problem?.code ?? "none") : "ok",
    cost: Number(result._meta?.["waypost/cost-nano-usd"] ?? 0),
    replayed: result._meta?.["waypost/idempotency-replayed"] === true,
    text: result.content.map(({ text }) => text ?? "").join("\n"),
    deltas,
    raw: JSON.stringify(result),
  };
}

/**
 * The same with everything replaced that no two calls have in common: ids of calls, keys, users, accounts and histories, times, and what
 * depends on the time.
 */
export function normalised(value: unknown): unknown {
  if (typeof value === "string") {
    return value
      .replace(/\bcall_[0-9a-z]+/g, "call_#")
      .replace(/\bat_[0-9a-f]{32}/g, "at_#")
      .replace(/\b(key|usr)_[0-9a-z]{16}/g, "$1_#")
      .replace(/\b[0-9a-z]{16}\b/g, "<account>")
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>");
  }
  if (Array.isArray(value)) return value.map(normalised);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      normalised(name),
      TIMELY.has(name) ? `<${name}>` : normalised(member),
    ]),
  );
}
const TIMELY = new Set(["epoch", "reset_seconds", "request_id", "retry_after"]);

/** The catalogue's entry for a problem, or a failure that says the code is not in it. */
export function entryOf(problem: Problem) {
  const entry = Object.hasOwn(errorCatalogue, problem.code) ? errorCatalogue[problem.code] : undefined;
  if (!entry) throw new Error(`${problem.code} is not in the catalogue`);
  return entry;
}
