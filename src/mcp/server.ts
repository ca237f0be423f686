import {
  ProtocolError,
  ProtocolErrorCode,
  Server,
  type ServerContext,
  type ServerOptions,
} from "@modelcontextprotocol/server";
import { toProblem, WaypostError } from "../errors.ts";
import type { CallOutcome, CallRequest } from "../gate/gate.ts";
import { formatUsd } from "../ledger/money.ts";
import type { Settlement } from "../ledger/types.ts";
import type { Tool } from "../tools/define.ts";
import { agentTools, toolNamed } from "../tools/registry.ts";
import { briefSchemasOf } from "../tools/schema.ts";
import { VERSION } from "../version.ts";
import { INSTRUCTIONS } from "./instructions.ts";
import { progressOf } from "./progress.ts";

/** How a server of one request reaches the gate. */
export interface Exchange {
  requestId: string;
  call: (request: Pick<CallRequest, "tool" | "input" | "idempotencyKey" | "emit">) => Promise<CallOutcome>;
}

/** Names in `_meta`: what a call cost and how to repeat it safely. */
export const META = {
  callId: "waypost/call-id",
  costNano: "waypost/cost-nano-usd",
  replayed: "waypost/idempotency-replayed",
  funding: "waypost/funding",
  priceVersion: "waypost/price-version",
  planTokensLeft: "waypost/plan-tokens-left",
  creditLeftNano: "waypost/credit-left-nano-usd",
  resetsAt: "waypost/plan-resets-at",
  idempotencyKey: "waypost/idempotency-key",
  problem: "waypost/problem",
} as const;

const LIST_TTL_MS = 300_000;
const OPTIONS: ServerOptions = {
  capabilities: { tools: {} },
  instructions: INSTRUCTIONS,
  // The tools are the same for everyone and change only with the server.
  cacheHints: {
    "tools/list": { ttlMs: LIST_TTL_MS, cacheScope: "public" },
    "server/discover": { ttlMs: LIST_TTL_MS, cacheScope: "public" },
  },
};

/** A fresh server for one request: the SDK's protocol machinery over the tools, with nothing of another request in it. */
export function serverFor(exchange: Exchange): Server {
  const server = new Server({ name: "waypost", title: "Waypost", version: VERSION }, OPTIONS);
  server.setRequestHandler("tools/list", listTools);
  server.setRequestHandler("tools/call", (request, ctx) => callTool(exchange, request.params, ctx));
  return server;
}

type ToolList = { tools: ReturnType<typeof describe>[] };
let list: ToolList | undefined;

function listTools(): ToolList {
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
  };
}

async function callTool(
  exchange: Exchange,
  params: { name: string; arguments?: unknown; _meta?: Record<string, unknown> },
  ctx: ServerContext,
) {
  const tool = toolNamed(params.name);
  if (!tool) throw unknownTool(params.name, exchange.requestId);
  const idempotencyKey = params._meta?.[META.idempotencyKey] ?? ctx.mcpReq._meta?.[META.idempotencyKey];
  const emit = progressOf(ctx);
  const outcome = await exchange.call({
    tool,
    input: params.arguments ?? {},
    ...(emit ? { emit } : {}),
    // What is not text becomes a key that no call may have.
    ...(idempotencyKey === undefined
      ? {}
      : { idempotencyKey: typeof idempotencyKey === "string" ? idempotencyKey : "" }),
  });
  return outcome.ok ? success(tool, outcome) : failure(outcome, exchange.requestId);
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
  lines.push(`Next: ${problem.next}`, `(request ${requestId})`);
  return {
    isError: true,
    content: [{ type: "text" as const, text: lines.join("\n") }],
    _meta: { [META.callId]: callId, [META.costNano]: costNano, [META.problem]: problem },
  };
}

function unknownTool(name: string, requestId: string): ProtocolError {
  const shown = String(name).slice(0, 64);
  const error = new WaypostError(
    "unknown_tool",
    `There is no tool "${shown}". There are: ${agentTools.map((t) => t.name).join(", ")}.`,
  );
  return new ProtocolError(ProtocolErrorCode.InvalidParams, error.detail, toProblem(error, requestId));
}
