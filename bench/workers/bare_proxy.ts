import type { Env } from "../../src/env.ts";
import { networkOf } from "../../src/net/network.ts";

/**
 * The least a proxy can do: the body in, the body out, nothing looked at. With `x-read` it takes each piece in its hands, as
 * whoever wants to see what passes must.
 */
export default {
  fetch: async (request: Request, env: Pick<Env, "NETWORK">, ctx: ExecutionContext): Promise<Response> => {
    const upstream = request.headers.get("x-upstream") as string;
    const { body, method } = request;
    const answer = await networkOf(env)(upstream, { method, body, headers: { "content-type": "application/json" } });
    if (!request.headers.has("x-read") || !answer.body) return new Response(answer.body, answer);
    const { readable, writable } = new IdentityTransformStream();
    ctx.waitUntil(handOver(answer.body.getReader(), writable.getWriter()));
    return new Response(readable, answer);
  },
};

async function handOver(
  from: ReadableStreamDefaultReader<Uint8Array>,
  to: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  for (let piece = await from.read(); !piece.done; piece = await from.read()) await to.write(piece.value);
  await to.close();
}
