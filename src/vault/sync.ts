import { Buffer } from "node:buffer";
import { fail, ok, type Result } from "../errors.ts";
import * as changes from "./changes.ts";
import * as devices from "./devices.ts";
import { readSummary } from "./documents.ts";
import { findMessage, ID_PATTERN } from "./messages.ts";
import { applyMutation } from "./mutation_apply.ts";
import * as history from "./mutation_history.ts";
import { contextOf, findSession } from "./session_store.ts";
import type * as T from "./types.ts";

const DEFAULT_PAGE_BYTES = 200_000;
const MAX_PAGE = 500;
const MAX_DEVICE_ID_LENGTH = 128;

export function createSchema(storage: DurableObjectStorage): void {
  devices.createSchema(storage);
  history.createSchema(storage);
}

/**
 * Applies a batch of a device's mutations in one transaction, in order, with one outcome each. A mutation this device
 * sent before answers with its first outcome, whatever happened since (the newest 10,000 per device are remembered).
 * Errors, each changing nothing: `client_forked` (a mutation id came back with another body), `resync_required`
 * (`cursor` is not from this history), `invalid_input`.
 */
export function push(storage: DurableObjectStorage, request: T.PushRequest): Result<T.PushReply> {
  const { device_id: deviceId, mutations } = request;
  if (!deviceId || deviceId.length > MAX_DEVICE_ID_LENGTH) {
    return invalid("device_id", `Use 1 to ${MAX_DEVICE_ID_LENGTH} characters.`);
  }
  const malformed = mutations.findIndex((mutation) => !ID_PATTERN.test(mutation.id));
  if (malformed !== -1) return invalid(`push.${malformed}.id`, "Use 1 to 128 characters of A-Z, a-z, 0-9, _ and -.");
  return storage.transactionSync(() => {
    const foreign = request.cursor && whyForeign(storage, request.cursor);
    if (foreign) return fail("resync_required", foreign);
    const hashes = mutations.map(devices.hashMutation);
    const known = recallAll(storage, deviceId, mutations, hashes);
    if (known === null) {
      return fail("client_forked", `Device ${deviceId} sent one of these mutation ids before with another body.`);
    }
    const outcomes = applyAll(storage, deviceId, mutations, hashes, known);
    return ok({ outcomes, cursor: changes.head(storage) });
  });
}

/**
 * Changes after the cursor, in log order, each entity as it is now. The returned cursor is the place to go on from: the
 * last change returned while there is `more`, the end of the log otherwise (so a filter never reads a stretch twice).
 * Errors: `resync_required` when the cursor's epoch is unknown or it is ahead of the log.
 */
export function pull(storage: DurableObjectStorage, request: T.PullRequest): Result<T.PullReply> {
  const foreign = request.cursor && whyForeign(storage, request.cursor);
  if (foreign) return fail("resync_required", foreign);
  const limit = Math.max(1, Math.min(MAX_PAGE, Math.trunc(request.limit)));
  const position = changes.head(storage);
  const entries = changes.since(storage, request.cursor?.seq ?? 0, limit + 1, {
    kinds: request.kinds,
    sessionId: request.session_id,
  });
  const page: T.Change[] = [];
  let bytes = 0;
  for (const entry of entries.slice(0, limit)) {
    const change = toChange(storage, entry);
    bytes += Buffer.byteLength(JSON.stringify(change));
    if (page.length && bytes > (request.max_bytes ?? DEFAULT_PAGE_BYTES)) break;
    page.push(change);
  }
  const last = page.at(-1);
  const more = page.length < entries.length;
  const seq = more && last ? last.seq : position.seq;
  return ok({ changes: page, cursor: { epoch: position.epoch, seq }, more });
}

/** What is remembered of these mutations, by id; null when an id comes with another body than it had, here or before. */
function recallAll(
  storage: DurableObjectStorage,
  deviceId: string,
  mutations: readonly T.Mutation[],
  hashes: readonly string[],
): Map<string, T.MutationOutcome> | null {
  const bodies = new Map<string, string>();
  const known = new Map<string, T.MutationOutcome>();
  for (const [i, { id }] of mutations.entries()) {
    const remembered = devices.recall(storage, deviceId, id);
    const body = hashes[i] as string;
    if (body !== (bodies.get(id) ?? remembered?.hash ?? body)) return null;
    bodies.set(id, body);
    if (remembered) known.set(id, remembered.outcome);
  }
  return known;
}

function applyAll(
  storage: DurableObjectStorage,
  deviceId: string,
  mutations: readonly T.Mutation[],
  hashes: readonly string[],
  known: Map<string, T.MutationOutcome>,
): T.MutationOutcome[] {
  const at = new Date();
  const author = { device: deviceId, now: at.toISOString() };
  const news: devices.Remembered[] = [];
  const outcomes = mutations.map((mutation, i) => {
    const first = known.get(mutation.id);
    if (first) return first.status === "applied" ? { ...first, status: "duplicate" as const } : first;
    const outcome = applyMutation(storage, mutation, author);
    known.set(mutation.id, outcome);
    news.push({ hash: hashes[i] as string, outcome });
    return outcome;
  });
  devices.remember(storage, deviceId, news, author.now);
  history.forgetExpired(storage, at);
  return outcomes;
}

function toChange(storage: DurableObjectStorage, entry: changes.LogEntry): T.Change {
  const { seq, deleted, entity: id } = entry;
  switch (entry.kind) {
    case "session":
      return { seq, kind: "session", id, deleted, session: deleted ? null : sessionState(storage, id) };
    case "message": {
      const found = deleted ? null : findMessage(storage, id);
      return { seq, kind: "message", id, deleted, session_id: entry.session_id ?? "", message: found?.message ?? null };
    }
    case "document":
      return { seq, kind: "document", id, deleted, document: deleted ? null : readSummary(storage, id) };
  }
}

/** A session without its messages, so that devices which pulled at different moments hold the same. */
function sessionState(storage: DurableObjectStorage, id: string) {
  const session = findSession(storage, id);
  if (!session) return null;
  return {
    id,
    title: session.fields.title,
    model_preference: session.fields.model_preference,
    created_at: session.created_at,
    updated_at: session.meta_updated_at,
    seq: session.meta_seq,
    context: contextOf(session.fields),
  };
}

function whyForeign(storage: DurableObjectStorage, cursor: T.Cursor): string | null {
  const { epoch, seq } = changes.head(storage);
  if (cursor.epoch !== epoch) return "The cursor's epoch is not this vault's: its history was replaced.";
  if (!Number.isSafeInteger(cursor.seq) || cursor.seq < 0 || cursor.seq > seq) {
    return "The cursor is not a position of this log: the vault was restored to an earlier state.";
  }
  return null;
}

function invalid(path: string, message: string): Result<never> {
  return fail("invalid_input", `${path}: ${message}`, { issues: [{ path, message }] });
}
