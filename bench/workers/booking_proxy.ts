import { DurableObject } from "cloudflare:workers";
import type { Env } from "../../src/env.ts";
import { networkOf } from "../../src/net/network.ts";

/** Writes one row, and is done when it is on disk. */
export class Book extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS book (id INTEGER PRIMARY KEY, answer TEXT NOT NULL)");
  }

  async write(answer: string): Promise<void> {
    this.ctx.storage.sql.exec("INSERT INTO book (answer) VALUES (?)", answer);
  }
}

/**
 * The least a gateway can do that answers for money: what a call cost is on disk, in an object, before the call is answered.
 * It knows nobody, and limits, prices and holds nothing.
 */
export default {
  fetch: async (request: Request, env: Pick<Env, "NETWORK"> & { BOOK: DurableObjectNamespace<Book> }) => {
    const upstream = request.headers.get("x-upstream") as string;
    const { body, method } = request;
    const answer = await networkOf(env)(upstream, { method, body, headers: { "content-type": "application/json" } });
    const text = await answer.text();
    await env.BOOK.getByName("book").write(text);
    return new Response(text, { headers: { "content-type": "application/json" } });
  },
};
