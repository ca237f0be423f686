/**
 * Counts the streams of a Worker's answers that are open: begun, and neither ended nor cut. The bytes are piped by the
 * runtime: a stream of a Durable Object that is read and written anew here now and then stands still.
 */
export class Gauge {
  open = 0;

  watch(response: Response, ctx: Pick<ExecutionContext, "waitUntil">): Response {
    if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream")) return response;
    this.open++;
    const { readable, writable } = new IdentityTransformStream();
    const ended = () => {
      this.open--;
    };
    ctx.waitUntil(response.body.pipeTo(writable).then(ended, ended));
    return new Response(readable, response);
  }
}
