import * as z from "zod";
import { unwrap } from "../errors.ts";
import { defineTool } from "./define.ts";

const DeleteDocumentInput = z.strictObject({
  id: z.string().min(1).max(512).describe("Document id, without ~<n>"),
});

const DeleteDocumentOutput = z.object({
  id: z.string(),
  deleted: z.boolean(),
  seq: z.number().describe("Log position"),
});

export const deleteDocument = defineTool({
  name: "delete_document",
  title: "Delete document",
  description:
    "Deletes one document with its original and its index, for good. Use it when the user wants it gone. Not for replacing " +
    "one (use add_documents with its id) nor for conversations (use sync_session). An unknown id is not_found.",
  scope: "documents:write",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: DeleteDocumentInput,
  output: DeleteDocumentOutput,
  rest: { method: "post", path: "/documents/delete" },
  run: async (call, { id }) => {
    const { orphan, ...outcome } = unwrap(await call.vault.deleteDocument(id));
    if (orphan) await call.blobs.delete(orphan);
    return outcome;
  },
  text: ({ id, seq }) => `Document ${id} is deleted (log position ${seq}). It is no longer found or fetched.`,
});
