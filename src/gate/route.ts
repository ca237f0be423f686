import type { Context } from "hono";
import type { Env } from "../env.ts";

export type Http = { Bindings: Env };

/** What a route asks of its caller. Every route says so, and a test holds each one to it with every kind of credential. */
export type Guard =
  /** Anyone. */
  | "open"
  /** A bearer credential: the gate decides. */
  | "bearer"
  /** A signed-in person: the session cookie, and nothing else. */
  | "session"
  /** The protocol's own credentials in the body: OAuth clients, webhook signatures, the setup token. */
  | "protocol";

export interface Route {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Hono path. */
  path: string;
  guard: Guard;
  handler: (c: Context<Http>) => Response | Promise<Response>;
}
