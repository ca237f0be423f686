import type { ServerContext } from "@modelcontextprotocol/server";
import type { CallEvent } from "../tools/define.ts";

/**
 * Events of a call as progress notifications, when the client asked for them with a progress token. `progress` grows with
 * every notification, as the protocol demands; a piece of an answer is its `message`.
 */
export function progressOf(ctx: ServerContext): ((event: CallEvent) => void) | undefined {
  const progressToken = ctx.mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  let count = 0;
  return (event) => {
    if (event.type === "bytes") return;
    const params =
      event.type === "delta"
        ? { progressToken, progress: ++count, message: event.text }
        : {
            progressToken,
            progress: event.progress,
            ...(event.total === undefined ? {} : { total: event.total }),
            ...(event.message === undefined ? {} : { message: event.message }),
          };
    // A client that left cannot be told; the call goes on.
    ctx.mcpReq.notify({ method: "notifications/progress", params }).catch(() => {});
  };
}
