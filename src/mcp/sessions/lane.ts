import { isLegacyRequest } from "@modelcontextprotocol/server";
import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import { reach } from "../../gate/stores.ts";
import { methodOf } from "../message.ts";
import { ASKING, type Asking, noSession, PASSED, REFUSED, type Refusal } from "./wire.ts";

/**
 * Which requests belong to a session, and the way there. Clients of 2025 that declare that they can be asked something get
 * one; the others, and every client of 2026, need none and are served where they come in.
 */

const HEADER = "mcp-session-id";
const OPEN = "open";
/** Characters of an `initialize`: it is kept as long as the session. */
const MOST_INITIALIZE = 16_384;

/** What a session is known by: `open` for a message that begins one; undefined for a request outside any. */
export async function sessionOf(request: Request, message: unknown): Promise<string | undefined> {
  const session = request.headers.get(HEADER);
  if (request.method === "GET" || request.method === "DELETE") return session ?? undefined;
  if (request.method !== "POST") return undefined;
  if (session === null && !(methodOf(message) === "initialize" && canBeAsked(message))) return undefined;
  if (!(await isLegacyRequest(request, message))) return undefined;
  return session ?? OPEN;
}

function canBeAsked(message: unknown): boolean {
  const { params } = message as { params?: { capabilities?: Record<string, unknown> } };
  const { elicitation, sampling, roots } = params?.capabilities ?? {};
  return Boolean(elicitation ?? sampling ?? roots);
}

/**
 * Hands a request to its session.
 * @throws WaypostError `no_mcp_session`, `payload_too_large`, `invalid_input`, `answer_gone`
 */
export async function inSession(
  env: Env,
  session: string,
  who: Omit<Asking, "opens">,
  request: Request,
  message: unknown,
): Promise<Response> {
  const body = message === undefined ? undefined : JSON.stringify(message);
  const opens = session === OPEN;
  if (opens && (body?.length ?? 0) > MOST_INITIALIZE) {
    throw new WaypostError("payload_too_large", `An initialize may have at most ${MOST_INITIALIZE} characters.`);
  }
  const asking: Asking = { ...who, opens };
  const headers = new Headers({ [ASKING]: JSON.stringify(asking) });
  for (const name of PASSED) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const id = opens ? env.MCP_SESSIONS.newUniqueId() : idOf(env, session);
  const init = { method: request.method, headers, signal: request.signal, ...(body === undefined ? {} : { body }) };
  const response = await reach("session", () => env.MCP_SESSIONS.get(id).fetch("https://session/mcp", init));
  if (!response.headers.has(REFUSED)) return new Response(response.body, response);
  const { code, detail } = await response.json<Refusal>();
  throw new WaypostError(code, detail);
}

/** @throws WaypostError `no_mcp_session` for what was never the id of a session */
function idOf(env: Env, session: string): DurableObjectId {
  try {
    return env.MCP_SESSIONS.idFromString(session);
  } catch {
    throw noSession();
  }
}
