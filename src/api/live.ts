import type { Context } from "hono";
import { WaypostError } from "../errors.ts";
import { identify } from "../gate/gate.ts";
import { requestIdOf } from "../gate/headers.ts";
import { readCredential } from "../gate/identify.ts";
import type { Http } from "../gate/route.ts";
import { listen } from "../runs/doors.ts";
import { permitted } from "./permitted.ts";
import { failureResponse } from "./problem.ts";

/** The subprotocol spoken. A browser, which can set no headers, adds a second one: `bearer.<credential>`. */
const PROTOCOL = "waypost.live";
const SESSION_ID = /^[A-Za-z0-9_-]{1,128}$/;

/** `GET /v1/sessions/{session_id}/live`: a WebSocket on which a device hears what chats of a session say, as they say it. */
export async function live(c: Context<Http>): Promise<Response> {
  const requestId = requestIdOf(c.req.raw.headers);
  try {
    return await open(c, requestId);
  } catch (error) {
    return failureResponse(error, requestId);
  }
}

async function open(c: Context<Http>, requestId: string): Promise<Response> {
  const { env } = c;
  const offered = (c.req.header("sec-websocket-protocol") ?? "").split(/\s*,\s*/);
  const credential = await readCredential(authorized(c.req.raw, offered), env, "v1", requestId);
  const { user } = permitted(await identify(env, credential), "sync");
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
    throw new WaypostError("invalid_header", "This route is a WebSocket: send `Upgrade: websocket`.");
  }
  const session = c.req.param("session_id") ?? "";
  if (!SESSION_ID.test(session)) throw new WaypostError("invalid_input", "That is no id of a session.");
  const expiresAt = expiryOf(c.req.header("authorization") ?? bearerIn(offered) ?? "");
  const { webSocket } = await listen(env, credential.account, { session, user, credential, expiresAt });
  const headers: Record<string, string> = { "X-Request-Id": requestId };
  if (offered.includes(PROTOCOL)) headers["Sec-WebSocket-Protocol"] = PROTOCOL;
  return new Response(null, { status: 101, webSocket, headers });
}

const bearerIn = (offered: string[]): string | undefined =>
  offered.find((name) => name.startsWith("bearer."))?.slice("bearer.".length);

/** The request with the credential where every other one has it. */
function authorized(request: Request, offered: string[]): Request {
  const token = request.headers.has("authorization") ? undefined : bearerIn(offered);
  if (token === undefined) return request;
  return new Request(request.url, { headers: { Authorization: `Bearer ${token}` } });
}

/** When a JWT that was verified ends by itself, ms since the epoch; null for any other credential. */
function expiryOf(credential: string): number | null {
  const [, claims] = /\.([\w-]+)\.[\w-]*\s*$/.exec(credential) ?? [];
  if (!claims || credential.includes("wp_")) return null;
  try {
    const { exp } = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))) as { exp?: unknown };
    return typeof exp === "number" ? exp * 1_000 : null;
  } catch {
    return null;
  }
}
