import type { SyncSessionReply } from "../tools/sync_session.ts";

/** A part of a conversation as Markdown: its title where it is in this part, and its messages in order. */
export function transcript(id: string, changes: SyncSessionReply["changes"]): string {
  const parts = changes.flatMap(({ session, message }) => {
    if (session) return [heading(id, session)];
    return message ? [`## ${message.role}, ${message.created_at}\n\n${message.content}`] : [];
  });
  return parts.length > 0 ? parts.join("\n\n") : `(Nothing of session ${id} is in this part.)`;
}

function heading(id: string, session: Record<string, unknown>): string {
  const { title, context } = session;
  const facts = context && Object.keys(context).length > 0 ? `\n\nContext: ${JSON.stringify(context)}` : "";
  return `# ${title || "(untitled)"}\n\nSession ${id}${facts}`;
}
