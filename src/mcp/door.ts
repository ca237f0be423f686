import {
  createMcpHandler,
  type McpHttpHandler,
  type McpServerFactory,
  type Server,
} from "@modelcontextprotocol/server";
import type { Credential } from "../auth/bearer.ts";
import { urlsOf } from "../auth/urls.ts";
import type { Env } from "../env.ts";
import { toProblem, WaypostError } from "../errors.ts";
import { readJson } from "../gate/body.ts";
import { isOwnOrigin, originAllowed } from "../gate/cors.ts";
import { type CallOutcome, identify } from "../gate/gate.ts";
import { errorHeaders, outcomeHeaders, requestIdOf } from "../gate/headers.ts";
import { readCredential } from "../gate/identify.ts";
import { logFailure } from "../gate/log.ts";
import { lacksScope } from "../gate/step_up.ts";
import type { Identity } from "../ledger/types.ts";
import { cancelAlias } from "../runs/doors.ts";
import { toolsFor } from "../tools/chosen.ts";
import type { Tool } from "../tools/define.ts";
import { keepAliveMs } from "../tools/stream_times.ts";
import { begun, explained } from "./answer.ts";
import { aliasOf, callsOf } from "./calls.ts";
import type { Exchange } from "./exchange.ts";
import { callsTool, cancelledId, checkMessage, idOf, isPlain, methodOf, missingScope } from "./message.ts";
import { type ServerFacts, serverFor } from "./server.ts";
import { inSession, sessionOf } from "./sessions/lane.ts";
import { listen } from "./subscriptions.ts";

type Door = (request: Request, env: Env, ctx: ExecutionContext) => Promise<Response>;

/**
 * The MCP door: Streamable HTTP, 2026-07-28 and 2025-era clients. A fresh server answers every request, and what belongs to
 * the request reaches it through the SDK's pass-through auth context. Clients of 2025 that can be asked something get a
 * session of their own (`sessions/`).
 */
export function mcpDoor(build: (exchange: Exchange, facts: ServerFacts) => Server): Door {
  const factory: McpServerFactory = ({ authInfo, era }) => {
    const { exchange, origin } = (authInfo?.extra ?? {}) as { exchange: Exchange; origin?: string };
    return build(exchange, { tells: era === "modern", origin });
  };
  const handler = createMcpHandler(factory);
  return async (request, env, ctx) => {
    const requestId = requestIdOf(request.headers);
    try {
      return await answer({ handler, factory }, request, env, ctx, requestId);
    } catch (thrown) {
      if (!(thrown instanceof WaypostError)) logFailure("mcp", requestId, thrown);
      const error =
        thrown instanceof WaypostError
          ? thrown
          : new WaypostError("internal", "Something failed that should not have.");
      return rpcError(error, requestId);
    }
  };
}

export const mcp = mcpDoor(serverFor);

async function answer(
  { handler, factory }: { handler: McpHttpHandler; factory: McpServerFactory },
  request: Request,
  env: Env,
  ctx: ExecutionContext,
  requestId: string,
): Promise<Response> {
  const origin = request.headers.get("origin");
  if (origin && !isOwnOrigin(env, request, origin) && !originAllowed(env, origin)) {
    throw new WaypostError("origin_not_allowed", "Pages of this origin may not use the MCP endpoint.");
  }
  const credential = await readCredential(request, env, "mcp", requestId);
  const client = clientOf(request);
  const tools = await offeredTo(request, env, credential);
  const names = tools ? { tools: tools.map(({ name }) => name) } : {};
  const who = { credential, requestId, ...(client ? { client } : {}) };
  if (request.method !== "POST") {
    const { scopes } = await identify(env, credential);
    const session = await sessionOf(request, undefined);
    if (session !== undefined) {
      const response = await inSession(env, session, { ...who, ...names, scopes }, request, undefined);
      return withHeaders(response.ok ? response : await explained(response, requestId), requestId);
    }
    const response = await handler.fetch(request, { authInfo: authInfo(env, credential, noCalls(requestId)) });
    return withHeaders(await explained(response, requestId), requestId);
  }
  const message = await readJson(request, () => identify(env, credential));
  const unwanted = cancelledId(message);
  if (unwanted !== undefined) {
    const alias = aliasOf(credential, request.headers.get("mcp-session-id") ?? client, unwanted);
    ctx.waitUntil(
      identify(env, credential)
        .then(() => cancelAlias(env, credential.account, alias))
        .catch(() => {}),
    );
  }
  // A tool call is identified by its admission; everything else is identified here.
  const admits = callsTool(message);
  const identity = admits ? undefined : await identify(env, credential);
  try {
    checkMessage(message);
  } catch (error) {
    return rpcError(error as WaypostError, requestId, idOf(message));
  }
  const session = await sessionOf(request, message);
  if (session !== undefined) return sessionAnswer(env, session, { ...who, ...names }, identity, request, message);
  let called = false;
  let outcome: CallOutcome | undefined;
  const call = callsOf(env, ctx, { ...who, id: idOf(message), left: request.signal }, (ended) => {
    outcome = ended;
  });
  const exchange: Exchange = {
    requestId,
    call: (asked) => {
      called = true;
      return call(asked);
    },
    ...(identity ? { scopes: identity.scopes } : {}),
    ...(tools ? { tools } : {}),
  };
  const auth = authInfo(env, credential, exchange);
  const listens = identity && methodOf(message) === "subscriptions/listen";
  let given: Response;
  try {
    given = listens
      ? await listen(env, request, message, factory, auth, {
          account: credential.account,
          scopes: identity.scopes,
          recheck: async () => identify(env, await readCredential(request, env, "mcp", requestId)),
        })
      : await handler.fetch(request, { authInfo: auth, parsedBody: message });
  } catch (error) {
    if (error instanceof WaypostError) return rpcError(error, requestId, idOf(message));
    throw error;
  }
  const response = await begun(given, () => outcome !== undefined, admits ? keepAliveMs(env) : undefined);
  if (outcome && !outcome.ok && refusesCaller(outcome.error, credential)) {
    return rpcError(outcome.error, requestId, idOf(message));
  }
  // The SDK refused what looked like a call.
  if (admits && !called) await identify(env, credential);
  const plain = called || (response.ok && isPlain(message, response));
  return withHeaders(plain ? response : await explained(response, requestId), requestId, outcome);
}

/** The tools of `?tools=`; undefined: all. Who is not known learns that before what is wrong with the list. */
async function offeredTo(request: Request, env: Env, credential: Credential): Promise<readonly Tool[] | undefined> {
  if (!request.url.includes("tools=")) return undefined;
  try {
    return toolsFor(request.url);
  } catch (error) {
    await identify(env, credential);
    throw error;
  }
}

/** Every message in a session is identified: its stream has begun by the time a call is admitted. */
async function sessionAnswer(
  env: Env,
  session: string,
  who: Who,
  known: Identity | undefined,
  request: Request,
  message: unknown,
): Promise<Response> {
  try {
    const { scopes } = known ?? (await identify(env, who.credential));
    const missing = missingScope(message, scopes);
    const { caller } = who.credential;
    if (missing && "verified" in caller) throw lacksScope(env, caller.verified.id, missing);
    const response = await inSession(env, session, { ...who, scopes }, request, message);
    return withHeaders(response.ok ? response : await explained(response, who.requestId), who.requestId);
  } catch (error) {
    if (error instanceof WaypostError) return rpcError(error, who.requestId, idOf(message));
    throw error;
  }
}

interface Who {
  credential: Credential;
  requestId: string;
  client?: string;
}

/** Told by status and challenge, which clients act on: who is not known signs in, who may not steps up if they can. */
const refusesCaller = (error: WaypostError, { caller }: Credential): boolean =>
  error.status === 401 || (error.code === "insufficient_scope" && "verified" in caller);

function authInfo(env: Env, { account }: Credential, exchange: Exchange) {
  const origin = env.PUBLIC_URL ? { origin: urlsOf(env).issuer } : {};
  // The SDK wants a token to pass on; the key itself stays out of its hands.
  return { token: account, clientId: account, scopes: [], extra: { exchange, ...origin } };
}

function noCalls(requestId: string): Exchange {
  return {
    requestId,
    call: async () => {
      throw new Error("a request without a body calls no tool");
    },
  };
}

const clientOf = (request: Request): string | undefined => request.headers.get("user-agent")?.slice(0, 100);

function withHeaders(response: Response, requestId: string, outcome?: CallOutcome): Response {
  const headers = new Headers(response.headers);
  if (!outcome) headers.set("X-Request-Id", requestId);
  else for (const [name, value] of Object.entries(outcomeHeaders(outcome, requestId))) headers.set(name, value);
  return new Response(response.body, { status: response.status, headers });
}

/** JSON-RPC error codes of failures before a server saw the message. */
const RPC_CODES: Partial<Record<WaypostError["code"], number>> = {
  invalid_json: -32700,
  invalid_input: -32600,
  no_mcp_session: -32001,
};

function rpcError(error: WaypostError, requestId: string, id: unknown = null): Response {
  const problem = toProblem(error, requestId);
  const body = {
    jsonrpc: "2.0",
    id,
    error: {
      code: RPC_CODES[error.code] ?? -32000,
      message: `${problem.title}. ${problem.detail} ${problem.next}`,
      data: problem,
    },
  };
  return new Response(JSON.stringify(body), {
    status: error.status,
    headers: {
      "Content-Type": "application/json",
      "Cache-Control": "no-store",
      "X-Request-Id": requestId,
      ...errorHeaders(error),
    },
  });
}
