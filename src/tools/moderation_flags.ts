import * as z from "zod";
import { unwrap } from "../errors.ts";
import { defineTool } from "./define.ts";

/** What moderation stopped, for people to look at. REST only. */

const Flag = z.object({
  id: z.string(),
  at: z.string(),
  call_id: z.string().describe("For GET /v1/usage/calls/{call_id}"),
  side: z.enum(["input", "output"]),
  categories: z.array(z.string()).describe("The moderator's own codes"),
  moderator: z.string(),
  model: z.string().describe("The model that was to answer, or did"),
  content: z.string().nullable().describe("null unless the account keeps it"),
  review: z
    .object({
      verdict: z.enum(["upheld", "mistaken"]),
      note: z.string().nullable(),
      reviewer: z.string(),
      at: z.string(),
    })
    .nullable(),
});
type Flag = z.output<typeof Flag>;

const line = ({ id, at, side, categories, review }: Flag): string =>
  `${at} ${id} ${side}: ${categories.join(", ") || "no category"} (${review?.verdict ?? "not reviewed"})`;

export const listModerationFlags = defineTool({
  name: "list_moderation_flags",
  title: "List moderation flags",
  description:
    "The account's calls that moderation stopped, newest first: when, which side, why, who judged, and what a reviewer made of it.",
  scope: "account",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    limit: z.number().int().min(1).max(100).default(50),
    page: z
      .string()
      .regex(/^\d{1,15}$/)
      .optional()
      .describe("From the previous page's next_page"),
    reviewed: z.boolean().optional().describe("Only those that are, or are not"),
  }),
  output: z.object({ flags: z.array(Flag), next_page: z.string().nullable() }),
  rest: { method: "get", path: "/moderation/flags" },
  restOnly: true,
  run: async (call, { limit, page, reviewed }) => {
    const { flags, next } = unwrap(
      await call.vault.listFlags({
        limit,
        ...(page ? { before: Number(page) } : {}),
        ...(reviewed === undefined ? {} : { reviewed }),
      }),
    );
    return { flags, next_page: next === null ? null : String(next) };
  },
  text: ({ flags }) => flags.map(line).join("\n") || "Nothing was flagged.",
});

export const reviewModerationFlag = defineTool({
  name: "review_moderation_flag",
  title: "Review a moderation flag",
  description: "Notes whether a flag was right or a mistake, and why. The last review stands. The call stays refused.",
  scope: "account",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    flag_id: z.string().min(1).max(200),
    verdict: z.enum(["upheld", "mistaken"]),
    note: z.string().max(2_000).optional(),
  }),
  output: Flag,
  rest: { method: "post", path: "/moderation/flags/{flag_id}/review" },
  restOnly: true,
  run: async (call, { flag_id: id, verdict, note = null }) =>
    unwrap(
      await call.vault.reviewFlag({ id, verdict, note, reviewer: call.principal.user, at: new Date().toISOString() }),
    ),
  text: line,
});
