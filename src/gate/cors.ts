import { urlsOf } from "../auth/urls.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";

/** What a browser page of another origin may see of an answer. */
const EXPOSED = [
  "X-Request-Id",
  "Request-Id",
  "X-Should-Retry",
  "X-Waypost-Cost-Nano-Usd",
  "X-Waypost-Call-Id",
  "X-Waypost-Model",
  "X-Waypost-Why",
  "X-Waypost-Price-Version",
  "X-Waypost-Plan-Tokens-Left",
  "X-Waypost-Credit-Left-Nano-Usd",
  "Idempotency-Replayed",
  "RateLimit",
  "RateLimit-Policy",
  "X-RateLimit-Limit",
  "X-RateLimit-Remaining",
  "X-RateLimit-Reset",
  "Retry-After",
  "WWW-Authenticate",
  "Mcp-Session-Id",
].join(", ");

/** Whether a page of this server itself asks. A name that somebody else pointed at it is none of its own (DNS rebinding). */
export const isOwnOrigin = (env: Env, request: Request, origin: string): boolean =>
  env.PUBLIC_URL ? urlsOf(env).origins.includes(origin) : origin === new URL(request.url).origin;

const patternsOf = ({ ALLOWED_ORIGINS = "" }: Pick<Env, "ALLOWED_ORIGINS">): string[] =>
  ALLOWED_ORIGINS.split(",")
    .map((pattern) => pattern.trim())
    .filter((pattern) => pattern !== "");

/** @throws WaypostError `not_configured` for a pattern that no browser's origin can match */
export function checkAllowedOrigins(env: Env): void {
  const wrong = patternsOf(env).find((pattern) => pattern !== "*" && !isOrigin(pattern.replace(/:\*$/, "")));
  if (wrong === undefined) return;
  throw new WaypostError(
    "not_configured",
    `ALLOWED_ORIGINS must hold origins such as https://app.example, without a path, or *, not "${wrong}".`,
  );
}

/** As a browser writes one: of a web page, of an extension or an editor's view (`chrome-extension://id`), or `null`. */
function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol)) return url.origin === text;
  return text === "null" || /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+$/.test(text);
}

/** Allowed origins by configuration: exact, with any port (`http://localhost:*`), or `*`. Credentials are never allowed. */
export function originAllowed(env: Env, origin: string): boolean {
  for (const pattern of patternsOf(env)) {
    if (pattern === "*" || pattern === origin) return true;
    if (
      pattern.endsWith(":*") &&
      origin.startsWith(pattern.slice(0, -1)) &&
      /^\d+$/.test(origin.slice(pattern.length - 1))
    ) {
      return true;
    }
  }
  return false;
}

/** The answer with the CORS headers for an origin; as it was when the origin is not allowed. */
export function withCors(env: Env, origin: string, response: Response): Response {
  // A WebSocket cannot be made anew, and browsers ask nothing of its answer: it is let in by its credential.
  if (response.webSocket) return response;
  // An endpoint that any page may call has said so itself.
  if (response.headers.get("access-control-allow-origin") === "*") return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(corsHeaders(env, origin))) headers.set(name, value);
  return new Response(response.body, { status: response.status, headers });
}

function corsHeaders(env: Env, origin: string): Record<string, string> {
  if (!originAllowed(env, origin)) return { Vary: "Origin" };
  return { "Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED, Vary: "Origin" };
}

const METHODS = "GET, POST, PATCH, DELETE, OPTIONS";
const HEADERS =
  "Authorization, X-Api-Key, Content-Type, Accept, Idempotency-Key, X-Request-Id, Last-Event-ID, Mcp-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name";
const MOST_CHARACTERS = 4_096;

/**
 * What is asked for is allowed: clients of other APIs send headers of their own (`x-stainless-…`), and no header that is not
 * named above has an effect that a page must not have.
 */
function headersAllowed(asked: string | null): string {
  const named = asked !== null && asked.length <= MOST_CHARACTERS && /^[\w-]+(?: ?, ?[\w-]+)*$/.test(asked);
  return named ? asked : HEADERS;
}

/**
 * The answer to OPTIONS: to a preflight that asks for these headers, or, without an origin, what methods there are.
 * @throws WaypostError `origin_not_allowed`
 */
export function preflight(env: Env, origin: string | null, asked: string | null): Response {
  if (origin === null) return new Response(null, { status: 204, headers: { Allow: METHODS, Vary: "Origin" } });
  if (!originAllowed(env, origin)) {
    throw new WaypostError("origin_not_allowed", "Pages of this origin may not call this server.");
  }
  return new Response(null, {
    status: 204,
    headers: {
      ...corsHeaders(env, origin),
      Vary: "Origin, Access-Control-Request-Headers",
      "Access-Control-Allow-Methods": METHODS,
      "Access-Control-Allow-Headers": headersAllowed(asked),
      "Access-Control-Max-Age": "86400",
    },
  });
}
