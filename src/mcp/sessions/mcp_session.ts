import { DurableObject } from "cloudflare:workers";
import type { Server } from "@modelcontextprotocol/server";
import type { Env } from "../../env.ts";
import { lazily } from "../../lazily.ts";
import type { Exchange } from "../exchange.ts";
import type { ServerFacts } from "../server.ts";
import type { Session } from "./session.ts";

const library = lazily(() => import("./session.ts"));

/** The object of one `Session`, whose code and SDK are loaded with the first of them: a start does without. */
export class McpSession extends DurableObject<Env> {
  readonly #session: Promise<Session>;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#session = ctx.blockConcurrencyWhile(async () => {
      const { Session } = await library();
      return Session.wake(ctx, env, this.serverFor?.bind(this));
    });
  }

  /** The server that answers in the session, where it is not the product's. */
  protected serverFor?(exchange: Exchange, facts: ServerFacts): Server;

  get openStreams(): Promise<number> {
    return this.#session.then(({ openStreams }) => openStreams);
  }

  /** Characters kept for clients that come back. */
  get remembered(): Promise<number> {
    return this.#session.then(({ remembered }) => remembered);
  }

  /** A message of the door; see `lane.ts`. */
  override async fetch(request: Request): Promise<Response> {
    return (await this.#session).fetch(request);
  }

  override async alarm(): Promise<void> {
    await (await this.#session).alarm();
  }
}
