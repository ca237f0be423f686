import * as z from "zod";
import { unwrap } from "../errors.ts";
import { defineTool } from "./define.ts";

const ListSessionsInput = z.strictObject({
  limit: z.number().int().min(1).max(100).default(20).describe("Sessions a page"),
  page: z.string().max(100).optional().describe("`next_page` of the last answer"),
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
});

export const listSessions = defineTool({
  name: "list_sessions",
  title: "List sessions",
  description:
    "Lists the account's saved conversations, last active first. Use it to find a session id by title. Not for finding " +
    "words inside conversations (use search) nor for their messages (use sync_session with session_id).",
  scope: "sync",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: ListSessionsInput,
  output: ListSessionsOutput,
  rest: { method: "get", path: "/sessions" },
  run: async (call, { limit, page }) => unwrap(await call.vault.listSessions({ limit, page })),
  text: ({ sessions, next_page, total }) => {
    if (!total) return "There are no sessions yet. Chat with a session_id, or sync_session, creates one.";
    const lines = sessions.map(
      ({ id, title, message_count, updated_at, model_preference }) =>
        `- ${id}: ${title || "(untitled)"}; ${message_count} message${message_count === 1 ? "" : "s"}, last active ${updated_at}` +
        (model_preference ? `, model ${model_preference}` : ""),
    );
    const rest = next_page ? [`More: list_sessions with page "${next_page}".`] : [];
    return [`${sessions.length} of ${total} sessions, last active first:`, ...lines, ...rest].join("\n");
  },
});
