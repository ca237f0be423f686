import * as z from "zod";
import { unwrap } from "../errors.ts";
import { howMany } from "./cut.ts";
import { defineTool } from "./define.ts";
import { NextCalls, nextLines, nextOf } from "./next_calls.ts";

const ListSessionsInput = z.strictObject({
  limit: z
    .number()
    .int()
    .min(1)
    .max(100)
    .default(20)
    .describe("Sessions a page")
    .meta({ aka: ["count", "n"] }),
  page: z
    .string()
    .max(100)
    .optional()
    .describe("`next_page` of the last answer")
    .meta({ aka: ["next_page", "cursor"] }),
});

const ListSessionsOutput = z.object({
  sessions: z
    .array(
      z.object({
        id: z.string(),
        title: z.string().describe("Empty before the first user message"),
        model_preference: z.string().nullable(),
        message_count: z.number(),
        created_at: z.string(),
        updated_at: z.string().describe("Last activity"),
        seq: z.number().describe("Log position"),
      }),
    )
    .describe("Last active first"),
  next_page: z.string().nullable().describe("Null: last page"),
  total: z.number(),
  next: NextCalls,
});

export const listSessions = defineTool({
  name: "list_sessions",
  title: "List sessions",
  description:
    "Lists saved conversations (sessions), most recent first: title, id, how many messages, last activity. Use it to find a " +
    "session's id. Not for words said in them (search) nor for their messages (sync_session with session_id).",
  scope: "sync",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: ListSessionsInput,
  output: ListSessionsOutput,
  rest: { method: "get", path: "/sessions" },
  run: async (call, { limit, page }) => {
    let found = unwrap(await call.vault.listSessions({ limit, page }));
    const fit = howMany(found.sessions);
    if (fit < found.sessions.length) found = unwrap(await call.vault.listSessions({ limit: fit, page }));
    const [first] = found.sessions;
    const { next_page } = found;
    return {
      ...found,
      ...nextOf([
        first && { tool: "sync_session", arguments: { session_id: first.id }, why: "to read the first of them" },
        next_page !== null && {
          tool: "list_sessions",
          arguments: { limit, page: next_page },
          why: "for the next page",
        },
      ]),
    };
  },
  text: ({ sessions, total, next }) => {
    if (!total) return "There are no sessions yet. Chat with a session_id, or sync_session, creates one.";
    const lines = sessions.map(
      ({ id, title, message_count, updated_at, model_preference }) =>
        `- ${id}: ${title || "(untitled)"}; ${message_count} message${message_count === 1 ? "" : "s"}, last active ${updated_at}` +
        (model_preference ? `, model ${model_preference}` : ""),
    );
    return [`${sessions.length} of ${total} sessions, last active first:`, ...lines, ...nextLines(next)].join("\n");
  },
});
