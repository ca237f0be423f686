import { nextLines } from "./next_calls.ts";
import type { SyncSessionReply } from "./sync_session.ts";

type Outcome = SyncSessionReply["outcomes"][number];
type Change = SyncSessionReply["changes"][number];

/** The text channel of sync_session: outcomes, then changes with their content, then how to go on. */
export function describeSync({ outcomes, changes, cursor, more, next }: SyncSessionReply): string {
  return [
    ...(outcomes.length ? [`Pushed ${outcomes.length}:`, ...outcomes.map(outcomeLine)] : []),
    changes.length ? `${changes.length} changes, oldest first:` : "No changes after the cursor.",
    ...changes.map(changeLine),
    `Cursor: ${JSON.stringify(cursor)}. ${more ? "There is more." : "Up to date."}`,
    ...nextLines(next),
  ].join("\n");
}

function outcomeLine({ id, status, seq, detail, server, yours }: Outcome): string {
  const sides = server ? ` Stored: ${JSON.stringify(server)}. Not stored: ${JSON.stringify(yours)}.` : "";
  return `- ${id}: ${status}${seq === undefined ? "" : ` at ${seq}`}${detail ? `. ${detail}` : ""}${sides}`;
}

function changeLine(change: Change): string {
  const place = `- ${change.seq} ${change.kind} ${change.id}`;
  const where = change.session_id ? ` in ${change.session_id}` : "";
  if (change.deleted) return `${place}${where}: deleted`;
  const cut = change.left_out ? ` (left out: ${change.left_out.join(", ")})` : "";
  return `${place}${where}: ${JSON.stringify(change.session ?? change.message ?? change.document)}${cut}`;
}
