import type { Mutation } from "../vault/types.ts";
import { answerTo, mustAsk } from "./confirm.ts";
import type { Call } from "./define.ts";

/** Titles that a question names; the others are counted. */
const NAMED = 5;

/**
 * Has a person agree before a push deletes sessions or clears their messages. What is not there, or is empty, needs nobody's
 * agreement, so a push that is repeated is not asked about again.
 * @throws WaypostError `confirmation_required`, `declined`
 */
export async function confirmDeletions(call: Call, push: readonly Mutation[], confirm?: boolean): Promise<void> {
  const { consent, vault } = call;
  // Which value stands is asked once the push was made, so its deletions were agreed to.
  if (!mustAsk(consent, "delete", confirm) || consent.said?.question.subject === "merge") return;
  const lost: string[] = [];
  for (const { kind, session_id } of push) {
    if (kind !== "session.delete" && kind !== "session.clear") continue;
    const found = await vault.readSession({ session_id, limit: 1 });
    if (!found.ok || (kind === "session.clear" && found.value.messages.length === 0)) continue;
    const title = `"${found.value.title}" (${session_id})`;
    lost.push(kind === "session.delete" ? `the conversation ${title}` : `all messages of ${title}`);
  }
  if (lost.length === 0) return;
  const more = lost.length > NAMED ? ` and ${lost.length - NAMED} more` : "";
  answerTo(consent, {
    subject: "delete",
    message: `Delete ${lost.slice(0, NAMED).join(", ")}${more}, on all devices?`,
  });
}
