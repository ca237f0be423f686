import * as z from "zod";
import { unwrap } from "../errors.ts";
import { defineTool } from "./define.ts";

const ListDocumentsInput = z.strictObject({
  limit: z.number().int().min(1).max(100).default(20).describe("Documents a page"),
  page: z.string().min(1).max(700).optional().describe("`next_page` of the last answer"),
  match: z.string().max(200).optional().describe("Only those with this in their id or title"),
});

const ListDocumentsOutput = z.object({
  documents: z
    .array(
      z.object({
        id: z.string(),
        title: z.string(),
        url: z.string().nullable(),
        format: z.enum(["text", "markdown", "code", "html"]),
        bytes: z.number(),
        updated_at: z.string(),
      }),
    )
    .describe("Last changed first"),
  next_page: z.string().nullable().describe("Null: last page"),
});

export const listDocuments = defineTool({
  name: "list_documents",
  title: "List documents",
  description:
    "The account's documents without their texts, last changed first; `match` is looked for in the last 5,000.",
  scope: "search",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: ListDocumentsInput,
  output: ListDocumentsOutput,
  rest: { method: "get", path: "/documents" },
  restOnly: true,
  run: async (call, { limit, page, match }) => unwrap(await call.vault.listDocuments({ limit, page, match })),
  text: ({ documents }) => documents.map(({ id, title }) => `${id}: ${title || "(untitled)"}`).join("\n"),
});
