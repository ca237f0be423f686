import { WaypostError } from "../errors.ts";
import type { CallOutcome } from "../gate/gate.ts";
import type { Call } from "../tools/define.ts";

/**
 * A response made of the pieces a call emits, as they come. Unlike server-sent events it cannot tell of a failure in its
 * middle, so then it breaks off: a reader that got the end has got everything.
 */
export function pieceStream(media: string): {
  emit: Call["emit"];
  response: (
    outcome: Promise<CallOutcome>,
    plain: (outcome: CallOutcome) => Response,
    headers: Record<string, string>,
  ) => Promise<Response>;
} {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  let started = () => {};
  const first = new Promise<"piece">((resolve) => {
    started = () => resolve("piece");
  });
  return {
    async emit(event) {
      if (event.type !== "delta") return;
      started();
      try {
        await writer.write(encoder.encode(event.text));
      } catch {
        throw new WaypostError("client_closed", "The client stopped reading.");
      }
    },
    async response(outcome, plain, headers) {
      const begun = await Promise.race([first, outcome]);
      if (begun !== "piece") return plain(begun);
      outcome.then((end) => (end.ok ? writer.close() : writer.abort(end.error.code))).catch(() => {});
      return new Response(readable, {
        headers: {
          "Content-Type": `${media}; charset=utf-8`,
          "Content-Disposition": 'attachment; filename="usage.csv"',
          "Cache-Control": "no-store",
          ...headers,
        },
      });
    },
  };
}
