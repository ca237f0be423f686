import {
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
  type ServerOptions,
} from "@modelcontextprotocol/server";
import { toProblem, WaypostError } from "../errors.ts";
import type { CallOutcome } from "../gate/gate.ts";
import { lazily } from "../lazily.ts";
import { formatUsd } from "../ledger/money.ts";
import type { Settlement } from "../ledger/types.ts";
import type { Handle } from "../runs/wire.ts";
import type { Tool } from "../tools/define.ts";
import { nextLines } from "../tools/next_calls.ts";
import { agentTools } from "../tools/registry.ts";
import { briefSchemasOf } from "../tools/schema.ts";
import { VERSION } from "../version.ts";
import { appMeta, isApp } from "./apps/apps.ts";
import { type Asks, asksOf } from "./elicit/asks.ts";
import { type Exchange, refusal } from "./exchange.ts";
import { iconsAt } from "./icons.ts";
import { INSTRUCTIONS } from "./instructions.ts";
import { META } from "./meta.ts";
import { progressOf } from "./progress.ts";

export type { Exchange } from "./exchange.ts";
export { META } from "./meta.ts";

const LIST_TTL_MS = 300_000;
/** Lists of the account change under the client; it can ask to be told. */
const OWN_TTL_MS = 10_000;
const shared = { ttlMs: LIST_TTL_MS, cacheScope: "public" } as const;
const own = { ttlMs: OWN_TTL_MS, cacheScope: "private" } as const;
const OPTIONS: ServerOptions = {
  instructions: INSTRUCTIONS,
  // Tools and templates of addresses are the same for everyone and change only with the server.
  cacheHints: {
    "tools/list": shared,
    "server/discover": shared,
    "resources/templates/list": shared,
    "resources/list": own,
    "prompts/list": own,
    "resources/read": { ttlMs: 0, cacheScope: "private" },
  },
};
const QUIET: ServerOptions = { ...OPTIONS, capabilities: { tools: {}, resources: {}, prompts: {}, completions: {} } };
/** Where there is a stream on which changes can be told. */
const TELLING: ServerOptions = {
  ...OPTIONS,
  capabilities: {
    tools: {},
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    completions: {},
  },
};

const offers = lazily(() => import("./offers.ts"));
const apps = lazily(() => import("./apps/read_app.ts"));

export interface ServerFacts {
  /** Changes can be told: always to clients of 2026, to those of 2025 in a session. */
  tells?: boolean;
  /** The server's public origin, when it is known. */
  origin?: string | undefined;
}

/** A fresh server for one request: the SDK's protocol machinery over the tools, with nothing of another request in it. */
export function serverFor(exchange: Exchange, { tells = false, origin }: ServerFacts = {}): Server {
  const icons = origin === undefined ? {} : { icons: iconsAt(origin) };
  const server = new Server({ name: "waypost", title: "Waypost", version: VERSION, ...icons }, tells ? TELLING : QUIET);
  server.setRequestHandler("tools/list", () => listTools(exchange.tools));
  server.setRequestHandler("tools/call", (request, ctx) =>
    callTool(exchange, request.params, ctx, asksOf(server, ctx)),
  );
  server.setRequestHandler("resources/list", async ({ params }) =>
    (await offers()).listResources(exchange, params?.cursor),
  );
  server.setRequestHandler("resources/templates/list", async () => (await offers()).listTemplates());
  server.setRequestHandler("resources/read", async ({ params: { uri } }) => {
    const app = isApp(uri) ? (await apps()).readApp(uri) : undefined;
    return app ?? (await offers()).readResource(exchange, uri);
  });
  server.setRequestHandler("prompts/list", async ({ params }) =>
    (await offers()).listPrompts(exchange, params?.cursor),
  );
  server.setRequestHandler("prompts/get", async ({ params }) =>
    (await offers()).getPrompt(exchange, params.name, params.arguments),
  );
  server.setRequestHandler("completion/complete", async ({ params }) => (await offers()).complete(exchange, params));
  server.setRequestHandler("resources/subscribe", ({ params }) => heard(exchange, "subscribe", params.uri));
  server.setRequestHandler("resources/unsubscribe", ({ params }) => heard(exchange, "unsubscribe", params.uri));
  return server;
}

/** Only in a session of 2025: elsewhere there is no stream, and the capability is not declared. */
async function heard(exchange: Exchange, what: "subscribe" | "unsubscribe", uri: string) {
  if (!exchange.hears) {
    const detail = "Subscriptions need a session: this client keeps none. Clients of 2026 use subscriptions/listen.";
    throw refusal(new WaypostError("invalid_input", detail), exchange.requestId);
  }
  try {
    await exchange.hears[what](uri);
  } catch (error) {
    if (error instanceof WaypostError) throw refusal(error, exchange.requestId, { uri });
    throw error;
  }
  return {};
}

type ToolList = { tools: ReturnType<typeof describe>[] };
let list: ToolList | undefined;

function listTools(narrowed: readonly Tool[] | undefined): ToolList {
  if (narrowed) return { tools: narrowed.map(describe) };
  list ??= { tools: agentTools.map(describe) };
  return list;
}

function describe(tool: Tool) {
  const { input, output } = briefSchemasOf(tool);
  return {
    name: tool.name,
    title: tool.title,
    description: tool.description,
    inputSchema: input as { type: "object" },
    outputSchema: output as { type: "object" },
    annotations: tool.annotations,
    ...appMeta(tool.name),
  };
}

async function callTool(
  exchange: Exchange,
  params: { name: string; arguments?: unknown; _meta?: Record<string, unknown> },
  ctx: ServerContext,
  asks: Asks | undefined,
) {
  const { tools = agentTools } = exchange;
  const tool = tools.find(({ name }) => name === params.name);
  if (!tool) throw unknownTool(params.name, tools, exchange.requestId);
  const idempotencyKey = params._meta?.[META.idempotencyKey] ?? ctx.mcpReq._meta?.[META.idempotencyKey];
  const emit = progressOf(ctx);
  const outcome = await exchange.call({
    tool,
    input: params.arguments ?? {},
    ...(emit ? { emit } : {}),
    ...(asks ? { asks } : {}),
    // What is not text becomes a key that no call may have.
    ...(idempotencyKey === undefined
      ? {}
      : { idempotencyKey: typeof idempotencyKey === "string" ? idempotencyKey : "" }),
  });
  if ("asks" in outcome) return outcome.asks;
  if ("session" in outcome) return handed(tool, outcome);
  return outcome.ok ? success(tool, outcome) : failure(outcome, exchange.requestId);
}

/** A call that takes longer than its client waits. What it will cost is not known yet. */
function handed(tool: Tool, handle: Handle) {
  const output = tool.later?.(handle) as Record<string, unknown>;
  return {
    content: [{ type: "text" as const, text: tool.text(output) }],
    structuredContent: output,
    _meta: { [META.callId]: handle.callId },
  };
}

function success(tool: Tool, outcome: CallOutcome & { ok: true }) {
  return {
    content: [{ type: "text" as const, text: tool.text(outcome.output) }],
    structuredContent: outcome.output as Record<string, unknown>,
    _meta: {
      [META.callId]: outcome.callId,
      [META.costNano]: outcome.replayed ? 0 : outcome.costNano,
      ...(outcome.replayed ? { [META.replayed]: true } : {}),
      ...(outcome.settlement ? settledMeta(outcome.settlement) : {}),
    },
  };
}

/** What paid for a call, and what was left when it was settled. */
function settledMeta({ funding, priceVersion, left }: Settlement): Record<string, unknown> {
  return {
    ...(funding ? { [META.funding]: funding } : {}),
    ...(priceVersion ? { [META.priceVersion]: priceVersion } : {}),
    [META.planTokensLeft]: left.plan_tokens,
    [META.creditLeftNano]: left.credit_nano,
    [META.resetsAt]: left.resets_at,
  };
}

/** An error is a result the agent can read. Structured content stays out: it would have to fit the output schema. */
function failure({ error, callId, costNano }: CallOutcome & { ok: false }, requestId: string) {
  const problem = toProblem(error, requestId);
  const lines = [`${problem.code}: ${problem.title}. ${problem.detail}`];
  for (const issue of problem.issues ?? []) lines.push(`- ${issue.path || "input"}: ${issue.message}`);
  if (problem.retry_after !== undefined) lines.push(`Retry after ${problem.retry_after} seconds.`);
  if (costNano > 0) lines.push(`The work that was done was charged: $${formatUsd(costNano)}.`);
  lines.push(`Next: ${problem.next}`, ...nextLines(problem.next_calls), `(request ${requestId})`);
  return {
    isError: true,
    content: [{ type: "text" as const, text: lines.join("\n") }],
    _meta: { [META.callId]: callId, [META.costNano]: costNano, [META.problem]: problem },
  };
}

function unknownTool(name: string, tools: readonly Tool[], requestId: string): ProtocolError {
  const shown = String(name).slice(0, 64);
  const error = new WaypostError(
    "unknown_tool",
    `There is no tool "${shown}". There are: ${tools.map((t) => t.name).join(", ")}.`,
  );
  return new ProtocolError(ProtocolErrorCode.InvalidParams, error.detail, toProblem(error, requestId));
}
