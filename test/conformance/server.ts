import type { Result, Server, ServerContext } from "@modelcontextprotocol/server";
import type { Exchange } from "../../src/mcp/exchange.ts";
import { type ServerFacts, serverFor } from "../../src/mcp/server.ts";
import { TOOLS } from "./answers.ts";
import { gateTool } from "./gate_tools.ts";
import { promptNamed, prompts, read, resources, templates } from "./things.ts";

/** The product's own server with the fixtures laid over it: what is no fixture's is answered by the product. */

interface Request {
  method: string;
  params?: Record<string, unknown>;
}
type Handler = (request: Request, ctx: ServerContext) => Promise<Result>;

const gateTools = new Map(Object.entries(TOOLS).map(([name, fixture]) => [name, gateTool(name, fixture)]));
const listed = Object.entries(TOOLS).map(([name, { description, inputSchema }]) => ({
  name,
  description,
  inputSchema: inputSchema ?? { type: "object", properties: {}, additionalProperties: false },
}));

export function conformanceServer(exchange: Exchange, facts: ServerFacts = {}): Server {
  const server = serverFor(exchange, facts);
  server.registerCapabilities({ logging: {} });
  over(server, "tools/list", (given) => append(given, "tools", listed));
  over(server, "resources/list", (given) => append(given, "resources", resources));
  over(server, "resources/templates/list", (given) => append(given, "resourceTemplates", templates));
  over(server, "prompts/list", (given) => append(given, "prompts", prompts));
  instead(server, "tools/call", (params, ctx) => callFixture(exchange, params, ctx));
  instead(server, "resources/read", async ({ uri }) => read(String(uri)));
  instead(server, "resources/subscribe", async ({ uri }) => (read(String(uri)) ? {} : undefined));
  instead(server, "resources/unsubscribe", async ({ uri }) => (read(String(uri)) ? {} : undefined));
  instead(server, "prompts/get", async ({ name, arguments: given }, ctx) =>
    promptNamed(String(name))?.((given ?? {}) as Record<string, string>, ctx),
  );
  instead(server, "completion/complete", async ({ ref }) => {
    const { name, uri } = ref as { name?: string; uri?: string };
    const ours = promptNamed(name ?? "") ?? (uri?.startsWith("test://") || undefined);
    return ours && { completion: { values: ["testValue1", "testValue2"], total: 2, hasMore: false } };
  });
  return server;
}

/** A fixture's call goes through the gate first; its answer is given once that has let it. */
async function callFixture(
  exchange: Exchange,
  { name, _meta }: Record<string, unknown>,
  ctx: ServerContext,
): Promise<Result | undefined> {
  const fixture = TOOLS[String(name)];
  const tool = gateTools.get(String(name));
  if (!fixture || !tool) return undefined;
  const { progressToken } = { ...ctx.mcpReq._meta, ...(_meta as object | undefined) };
  const outcome = await exchange.call({
    tool,
    input: {},
    emit: (event) => {
      if (event.type !== "progress" || progressToken === undefined) return;
      const { progress, total } = event;
      // A client that left cannot be told.
      ctx.mcpReq
        .notify({ method: "notifications/progress", params: { progressToken, progress, total } })
        .catch(() => {});
    },
  });
  if (!("ok" in outcome)) throw new Error("a fixture ends while its client waits");
  const then = outcome.ok && fixture.calls ? await exchange.call(fixture.calls) : outcome;
  if (!("ok" in then)) throw new Error("what a fixture calls ends while its client waits");
  if (!then.ok) return { isError: true, content: [{ type: "text", text: then.error.detail }] };
  return fixture.answer(ctx);
}

/** Adds to what the product answers. */
function over(server: Server, method: string, add: (given: Result) => Result): void {
  const before = handlerOf(server, method);
  set(server, method, async (request, ctx) => add(await before(request, ctx)));
}

/** Answers in the product's place, where the fixture does. */
function instead(
  server: Server,
  method: string,
  answer: (params: Record<string, unknown>, ctx: ServerContext) => Promise<Result | undefined>,
): void {
  const before = handlerOf(server, method);
  set(server, method, async (request, ctx) => (await answer(request.params ?? {}, ctx)) ?? before(request, ctx));
}

const append = (given: Result, field: string, more: unknown[]): Result => ({
  ...given,
  [field]: [...(given[field] as unknown[]), ...more],
});

function handlerOf(server: Server, method: string): Handler {
  const handler = (server as unknown as { _getRequestHandler(method: string): Handler | undefined })._getRequestHandler(
    method,
  );
  if (!handler) throw new Error(`the product does not answer ${method}`);
  return handler;
}

const set = (server: Server, method: string, handler: Handler): void =>
  (server.setRequestHandler as unknown as (method: string, handler: Handler) => void).call(server, method, handler);
