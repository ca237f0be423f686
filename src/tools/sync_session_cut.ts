import { beginning, howMany, RESULT_TOKENS, tokensOf } from "./cut.ts";
import type { NextCall } from "./next_calls.ts";
import type { SyncSessionReply } from "./sync_session.ts";

type Page = Pick<SyncSessionReply, "changes" | "cursor" | "more">;
type Change = SyncSessionReply["changes"][number];

/** For the frame of a message whose content is cut. */
const FRAME_TOKENS = 300;

/**
 * As many changes as can be read at once; a single one that is too long without its longest fields. `cut`: the call that
 * reads on in a message.
 */
export function cutForReading({ changes, cursor, more }: Page): Page & { cut: NextCall | null } {
  const fit = howMany(changes);
  const last = changes[fit - 1];
  const page =
    last && fit < changes.length
      ? { changes: changes.slice(0, fit), cursor: { ...cursor, seq: last.seq }, more: true }
      : { changes, cursor, more };
  const [first] = page.changes;
  if (!first || page.changes.length > 1 || tokensOf(first) <= RESULT_TOKENS) return { ...page, cut: null };
  const { change, cut } = shortened(first);
  return { ...page, changes: [change], cut };
}

function shortened(change: Change): { change: Change; cut: NextCall | null } {
  const kind = change.session ? "session" : change.message ? "message" : "document";
  const fields = { ...change[kind] };
  const left_out: string[] = [];
  for (const name of ["metadata", "context"]) {
    if (tokensOf(fields[name]) <= FRAME_TOKENS) continue;
    delete fields[name];
    left_out.push(name);
  }
  const { content } = fields;
  let cut: NextCall | null = null;
  if (typeof content === "string") {
    const part = beginning(content, RESULT_TOKENS - 2 * FRAME_TOKENS);
    if (part !== content) {
      fields.content = part;
      left_out.push("content");
      const next = { id: `msg:${change.id}`, offset: part.length };
      cut = { tool: "fetch", arguments: next, why: "to read on in this message" };
    }
  }
  return { change: { ...change, [kind]: fields, ...(left_out.length > 0 ? { left_out } : {}) }, cut };
}
