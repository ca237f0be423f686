import { Buffer } from "node:buffer";
import { canonicalJson } from "./canonical.ts";
import { head } from "./changes.ts";
import { appendMessages, checkAppend, countUnseen, ID_PATTERN, removeMessages } from "./messages.ts";
import { keep } from "./mutation_history.ts";
import { type FieldName, isEmpty, mergeFields, proposedFields, type SessionFields } from "./mutation_merge.ts";
import { findSession, insertSession, markDeleted, type StoredSession, saveFields } from "./session_store.ts";
import type { Mutation, MutationOutcome } from "./types.ts";

const MAX_TITLE_LENGTH = 200;
const MAX_CONTEXT_BYTES = 65_536;

/** Who asks, and when (ISO 8601, the server's clock). */
export interface Author {
  device: string;
  now: string;
}

/**
 * Does what a mutation asks, or changes nothing but the history and says why. Runs inside the push's transaction.
 * `seq` in the outcome is where the session stands in the log afterwards.
 */
export function applyMutation(storage: DurableObjectStorage, mutation: Mutation, author: Author): MutationOutcome {
  const invalid = whyInvalid(storage, mutation);
  if (invalid) return refused(mutation, invalid);
  const session = findSession(storage, mutation.session_id);
  if (session?.deleted) return onTombstone(mutation, session);
  if (mutation.kind === "session.create") {
    const target = session ?? insertSession(storage, mutation.session_id, author.now);
    // A second creation knows nothing of what is there: it fills what is unset and overwrites nothing, whoever set it.
    return editFields(storage, target, mutation, null, author);
  }
  if (!session) {
    const removes = mutation.kind === "session.delete" || mutation.kind === "session.clear";
    return refused(mutation, `There is no session ${mutation.session_id}${removes ? "" : "; create it first"}.`);
  }
  switch (mutation.kind) {
    case "session.update":
      return editFields(storage, session, mutation, mutation.base_seq, author);
    case "session.clear":
      return clear(storage, session, mutation, author);
    case "session.delete":
      return remove(storage, session, mutation, author);
    case "message.append":
      return append(storage, session, mutation, author);
  }
}

type MutationOf<K extends Mutation["kind"]> = Extract<Mutation, { kind: K }>;

function editFields(
  storage: DurableObjectStorage,
  session: StoredSession,
  mutation: MutationOf<"session.create" | "session.update">,
  base: number | null,
  { device, now }: Author,
): MutationOutcome {
  const proposed = proposedFields(mutation);
  const { fields: current, marks } = session;
  const known = base === null ? { baseSeq: 0, device: null } : { baseSeq: base, device };
  const { take, conflicts } = mergeFields({ current, marks, proposed, ...known });
  const changed = Object.keys(take) as FieldName[];
  const lost = { session_id: session.id, mutation_id: mutation.id, at: now };
  for (const field of changed) {
    if (isEmpty(current[field])) continue;
    keep(storage, {
      ...lost,
      field,
      value: current[field],
      reason: "replaced",
      device_id: marks[field]?.device ?? "",
    });
  }
  for (const field of conflicts) {
    keep(storage, { ...lost, field, value: proposed[field], reason: "conflict", device_id: device });
  }
  const saved = changed.length ? saveFields(storage, session, take, device, now) : session;
  if (!conflicts.length) return applied(mutation, saved.seq);
  const kept = `Changed elsewhere since, so the stored value stays: ${conflicts.join(", ")}.`;
  return {
    id: mutation.id,
    status: "conflict",
    detail: changed.length ? `${kept} Applied: ${changed.join(", ")}.` : kept,
    server: pick(saved.fields, conflicts),
    yours: pick(proposed, conflicts),
    seq: saved.seq,
  };
}

function clear(
  storage: DurableObjectStorage,
  session: StoredSession,
  mutation: MutationOf<"session.clear">,
  { device, now }: Author,
): MutationOutcome {
  const only = mutation.base_seq === undefined ? undefined : { seenSeq: mutation.base_seq, deviceId: device };
  const cleared = removeMessages(storage, session, now, only);
  // A derived title quotes a message that is gone.
  const stale = cleared.message_count === 0 && !cleared.marks.title && cleared.fields.title !== "";
  return applied(mutation, (stale ? saveFields(storage, cleared, { title: "" }, null, now) : cleared).seq);
}

function remove(
  storage: DurableObjectStorage,
  session: StoredSession,
  mutation: MutationOf<"session.delete">,
  { device, now }: Author,
): MutationOutcome {
  const { base_seq: baseSeq = Number.MAX_SAFE_INTEGER } = mutation;
  const messages = countUnseen(storage, session.id, baseSeq, device);
  const fields = (Object.keys(session.marks) as FieldName[]).filter((field) => {
    const mark = session.marks[field];
    return mark !== undefined && mark.seq > baseSeq && mark.device !== device;
  });
  if (messages || fields.length) {
    return {
      id: mutation.id,
      status: "conflict",
      detail:
        "Other devices changed the session since; nothing was deleted. Pull, then delete it again if it still should go.",
      server: { deleted: false, unseen_messages: messages, ...pick(session.fields, fields) },
      yours: { deleted: true },
      seq: session.seq,
    };
  }
  removeMessages(storage, session, now);
  return applied(mutation, markDeleted(storage, session.id, device, now));
}

function append(
  storage: DurableObjectStorage,
  session: StoredSession,
  mutation: MutationOf<"message.append">,
  { device, now }: Author,
): MutationOutcome {
  const check = checkAppend(storage, session.id, mutation.messages);
  if (check.kind === "refused") return refused(mutation, check.detail);
  if (check.kind === "removed") {
    return {
      id: mutation.id,
      status: "conflict",
      detail:
        "Some of these messages were stored and then cleared; none was stored now. To keep them, append them under new ids.",
      server: { cleared_message_ids: check.ids },
      yours: { message_ids: mutation.messages.map((message) => message.id) },
      seq: session.seq,
    };
  }
  return applied(mutation, appendMessages(storage, session, check.fresh, device, now).seq);
}

function onTombstone(mutation: Mutation, session: StoredSession): MutationOutcome {
  if (mutation.kind === "session.delete") return applied(mutation, session.seq);
  const yours =
    mutation.kind === "message.append"
      ? { message_ids: mutation.messages.map((message) => message.id) }
      : mutation.kind === "session.clear"
        ? {}
        : proposedFields(mutation);
  return {
    id: mutation.id,
    status: "conflict",
    detail:
      "The session was deleted; nothing was stored. To keep this, create a session with a new id and send it there.",
    server: {
      deleted: true,
      session_id: session.id,
      title: session.fields.title,
      deleted_at: session.meta_updated_at,
      deleted_by: session.deleted_by,
    },
    yours,
    seq: session.seq,
  };
}

function whyInvalid(storage: DurableObjectStorage, mutation: Mutation): string | null {
  if (!ID_PATTERN.test(mutation.session_id)) {
    return "A session id must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -.";
  }
  if ("base_seq" in mutation && mutation.base_seq !== undefined && mutation.base_seq > head(storage).seq) {
    return "base_seq is ahead of the log; use the seq of the cursor of the last pull.";
  }
  if (mutation.kind === "message.append" && !mutation.messages.length) return "There are no messages to append.";
  if (mutation.kind !== "session.create" && mutation.kind !== "session.update") return null;
  const title = mutation.title?.trim();
  if (mutation.kind === "session.update" && title === "") return "A title cannot be emptied; leave it out to keep it.";
  if (title && title.length > MAX_TITLE_LENGTH) return `A title has at most ${MAX_TITLE_LENGTH} characters.`;
  if (mutation.context && Buffer.byteLength(canonicalJson(mutation.context)) > MAX_CONTEXT_BYTES) {
    return "The context is larger than 64 KiB.";
  }
  return null;
}

const applied = ({ id }: Mutation, seq: number): MutationOutcome => ({ id, status: "applied", seq });
const refused = ({ id }: Mutation, detail: string): MutationOutcome => ({ id, status: "refused", detail });

function pick(fields: Partial<SessionFields>, names: readonly FieldName[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, fields[name]]));
}
