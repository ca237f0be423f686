import * as z from "zod";
import { unwrap, WaypostError } from "../errors.ts";
import type { Change, Mutation } from "../vault/types.ts";
import { confirmField } from "./confirm.ts";
import { confirmDeletions } from "./confirm_deletions.ts";
import { defineTool } from "./define.ts";
import { settleConflicts } from "./merge_conflicts.ts";
import { given, NextCalls, nextOf } from "./next_calls.ts";
import { cutForReading } from "./sync_session_cut.ts";
import { mutationSchema } from "./sync_session_mutations.ts";
import { describeSync } from "./sync_session_text.ts";

/** JSON bytes of changes in one answer: for an agent that named no limit, and for a program that did. */
const AGENT_PAGE_BYTES = 20_000;
const PROGRAM_PAGE_BYTES = 200_000;
const DEFAULT_CHANGES = 100;
/** Each is indexed for search as it is stored: about half a second of the vault's time at this many. */
const MAX_PUSHED_MESSAGES = 2_000;

const Cursor = z.strictObject({ epoch: z.string(), seq: z.number() });

const SyncSessionInput = z
  .strictObject({
    device_id: z.string().min(1).max(128).optional().describe("Yours for good; required to push"),
    push: z
      .array(mutationSchema.meta({ exact: true }))
      .max(500)
      .optional()
      .describe("Changes to make, in order"),
    cursor: Cursor.optional().describe("From the last answer; absent: from the beginning"),
    session_id: z
      .string()
      .max(128)
      .optional()
      .describe("Pull this session only")
      .meta({ aka: ["id", "session"] }),
    limit: z
      .number()
      .int()
      .min(1)
      .max(500)
      .optional()
      .describe("Most changes to pull. Set it to copy whole items, up to 200 kB; unset: what can be read at once"),
    confirm: confirmField,
  })
  .refine((input) => !input.push?.length || input.device_id !== undefined, {
    path: ["device_id"],
    message: "Needed to push: an id of your own, the same in every call from this device.",
  })
  .refine(({ push }) => countMessages(push) <= MAX_PUSHED_MESSAGES, {
    path: ["push"],
    message: `Send at most ${MAX_PUSHED_MESSAGES} messages in one call.`,
  });

const Values = z.looseObject({});

const SyncSessionOutput = z.object({
  outcomes: z
    .array(
      z.object({
        id: z.string(),
        status: z.enum(["applied", "duplicate", "conflict", "refused"]),
        seq: z.number().optional(),
        detail: z.string().optional(),
        server: Values.optional().describe("Kept"),
        yours: Values.optional().describe("Not stored"),
      }),
    )
    .describe("Of each push"),
  changes: z
    .array(
      z.object({
        seq: z.number(),
        kind: z.enum(["session", "message", "document"]),
        id: z.string(),
        deleted: z.boolean(),
        session_id: z.string().optional(),
        session: Values.optional(),
        message: Values.optional(),
        document: Values.optional(),
        left_out: z.array(z.string()).optional().describe("Fields too long to read at once; whole with `limit`"),
      }),
    )
    .describe("In order, each thing as it is now"),
  cursor: z.object({ epoch: z.string(), seq: z.number() }).describe("For the next call"),
  more: z.boolean().describe("Call again for the rest"),
  next: NextCalls,
});

export type SyncSessionReply = z.output<typeof SyncSessionOutput>;

export const syncSession = defineTool({
  name: "sync_session",
  title: "Sync sessions",
  description:
    "Reads the messages of a saved conversation (session_id), or keeps a device's copy in step: pushes its changes (create, " +
    "rename, append, clear, delete), then pulls all after its cursor. Not for asking a model (chat), finding words (search) or " +
    "titles (list_sessions). Safe to repeat with the same ids. While `more`, call again with the cursor.",
  scope: "sync",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: SyncSessionInput,
  output: SyncSessionOutput,
  rest: { method: "post", path: "/sync" },
  run: async (call, { device_id = "", push = [], cursor, session_id, limit, confirm }) => {
    await confirmDeletions(call, push, confirm);
    const pushed = push.length ? unwrap(await call.vault.push({ device_id, mutations: push, cursor })).outcomes : [];
    const outcomes = await settleConflicts(call, device_id, push, pushed);
    const pulled = unwrap(
      await call.vault.pull({
        cursor,
        session_id,
        limit: limit ?? DEFAULT_CHANGES,
        max_bytes: limit === undefined ? AGENT_PAGE_BYTES : PROGRAM_PAGE_BYTES,
      }),
    );
    if (session_id !== undefined && !cursor && push.length === 0 && pulled.changes.length === 0) {
      throw new WaypostError("not_found", `There is no session ${session_id}.`);
    }
    const page = { ...pulled, changes: pulled.changes.map(toWire) };
    // A device keeps what it gets, so it gets it whole.
    const reads = device_id === "" && limit === undefined;
    const told = reads ? cutForReading(page) : { ...page, cut: null };
    return {
      outcomes,
      changes: told.changes,
      cursor: told.cursor,
      more: told.more,
      ...nextOf([
        told.cut,
        told.more && {
          tool: "sync_session",
          arguments: given({ device_id: device_id || undefined, cursor: told.cursor, session_id, limit }),
          why: "for the rest",
        },
      ]),
    };
  },
  text: describeSync,
});

function countMessages(push: readonly Mutation[] = []): number {
  return push.reduce((sum, each) => sum + (each.kind === "message.append" ? each.messages.length : 0), 0);
}

/** A deleted thing has no state to show, so its member is left out. */
function toWire(change: Change): SyncSessionReply["changes"][number] {
  const { seq, kind, id, deleted } = change;
  switch (change.kind) {
    case "session":
      return { seq, kind, id, deleted, ...(change.session && { session: { ...change.session } }) };
    case "message": {
      const message = change.message && { message: { ...change.message } };
      return { seq, kind, id, deleted, session_id: change.session_id, ...message };
    }
    case "document":
      return { seq, kind, id, deleted, ...(change.document && { document: { ...change.document } }) };
  }
}
