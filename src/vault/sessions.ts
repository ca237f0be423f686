import { fail, ok, type Result } from "../errors.ts";
import { head } from "./changes.ts";
import * as messages from "./messages.ts";
import * as store from "./session_store.ts";
import type * as T from "./types.ts";

/** What is asked of sessions outside of sync: lists, reading, and the turns a chat call adds. */

export function createSchema(storage: DurableObjectStorage): void {
  store.createSchema(storage);
  messages.createSchema(storage);
}

/** Live sessions, last active first. Errors: `invalid_input` for a page token that this vault did not give out. */
export function listSessions(storage: DurableObjectStorage, request: T.ListSessionsRequest): Result<T.SessionPage> {
  const position = head(storage);
  const before = request.page === undefined ? position.seq + 1 : readPageToken(request.page, position);
  if (before === null) {
    return fail("invalid_input", "The page token is not one that this list returned.", {
      issues: [
        { path: "page", message: "Use `next_page` of the previous answer, or leave it out for the first page." },
      ],
    });
  }
  const found = store.listLiveSessions(storage, before, request.limit + 1);
  const page = found.slice(0, request.limit);
  const last = page.at(-1);
  return ok({
    sessions: page.map(store.summaryOf),
    next_page: found.length > page.length && last ? pageToken(position, last.seq) : null,
    total: store.countLiveSessions(storage),
  });
}

/** A session with its newest messages. Errors: `not_found`, with `deleted: true` for one that was. */
export function readSession(storage: DurableObjectStorage, request: T.ReadSessionRequest): Result<T.Session> {
  const session = store.findSession(storage, request.session_id);
  if (!session) return noSession(request.session_id);
  if (session.deleted) return fail("not_found", `Session ${session.id} was deleted.`, { deleted: true });
  const newest = messages.newestMessages(storage, session.id, request.limit);
  return ok({
    ...store.summaryOf(session),
    context: store.contextOf(session.fields),
    messages: newest,
    earlier: session.message_count - newest.length,
  });
}

/** One message that is still there, with the session it belongs to. */
export function readMessage(
  storage: DurableObjectStorage,
  id: string,
): { session_id: string; session_title: string; message: T.Message } | null {
  const found = messages.findMessage(storage, id);
  if (!found) return null;
  const session = store.findSession(storage, found.session_id);
  return { session_id: found.session_id, session_title: session?.fields.title ?? "", message: found.message };
}

/**
 * Adds the messages of one chat call, all or none. A message whose id the session already has is skipped whatever its
 * text, so a repeated call stores its turn once.
 * Errors: `not_found` (no such session and not `create`), `conflict` (deleted session, or an id that is taken elsewhere
 * or was cleared), `invalid_input`.
 */
export function appendTurn(storage: DurableObjectStorage, request: T.AppendTurnRequest): Result<T.AppendTurnReply> {
  const { session_id: sessionId } = request;
  if (!messages.ID_PATTERN.test(sessionId)) return fail("invalid_input", "The session id is malformed.");
  return storage.transactionSync(() => {
    const existing = store.findSession(storage, sessionId);
    if (existing?.deleted && request.create) {
      return fail("conflict", `Session ${sessionId} was deleted; start a new one with another id.`);
    }
    if (!request.create && (!existing || existing.deleted)) return noSession(sessionId);
    const unknown = request.messages.filter(
      (message) => messages.findMessage(storage, message.id)?.session_id !== sessionId,
    );
    const check = messages.checkAppend(storage, sessionId, unknown);
    if (check.kind === "refused") return fail(check.code, check.detail);
    if (check.kind === "removed") {
      return fail("conflict", "The session was cleared after this turn was stored.", { message_ids: check.ids });
    }
    const now = new Date().toISOString();
    const session = existing ?? store.insertSession(storage, sessionId, now);
    const appended = messages.appendMessages(storage, session, check.fresh, "", now);
    return ok({ session_id: sessionId, seq: appended.seq, title: appended.fields.title });
  });
}

function noSession(id: string): Result<never> {
  return fail("not_found", `There is no session ${id}.`);
}

// The epoch in the token refuses one from another vault or from before a restore.
const pageToken = (position: T.Cursor, seq: number) => `${position.epoch.slice(0, 8)}-${seq.toString(36)}`;

function readPageToken(token: string, position: T.Cursor): number | null {
  const [, epoch, digits] = /^([0-9a-f]{8})-([0-9a-z]{1,10})$/.exec(token) ?? [];
  const seq = digits === undefined ? Number.NaN : Number.parseInt(digits, 36);
  return epoch === position.epoch.slice(0, 8) && seq >= 1 && seq <= position.seq ? seq : null;
}
