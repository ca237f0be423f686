import * as z from "zod";
import { unwrap } from "../errors.ts";
import { answerTo, confirmField, mustAsk } from "./confirm.ts";
import { type Call, defineTool } from "./define.ts";

const DeleteDocumentInput = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(512)
    .describe("Document id, without ~<n>")
    .meta({ aka: ["document_id"] }),
  confirm: confirmField,
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
    "Removes one document from the user's knowledge for good, with its original and its index. Use it when the user wants it " +
    "gone. Not for replacing one (add_documents with its id) nor for conversations (sync_session). An unknown id is not_found.",
  scope: "documents:write",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: DeleteDocumentInput,
  output: DeleteDocumentOutput,
  rest: { method: "post", path: "/documents/delete" },
  run: async (call, { id, confirm }) => {
    if (mustAsk(call.consent, "delete", confirm)) await confirmDeletion(call, id);
    const { orphan, ...outcome } = unwrap(await call.vault.deleteDocument(id));
    if (orphan) await call.blobs.delete(orphan);
    return outcome;
  },
  text: ({ id, seq }) => `Document ${id} is deleted (log position ${seq}). It is no longer found or fetched.`,
});

/** @throws WaypostError `not_found`, `confirmation_required`, `declined` */
async function confirmDeletion({ vault, consent }: Call, id: string): Promise<void> {
  const item = unwrap(await vault.fetchItem(id, { offset: 0, length: 1 }));
  // Passages and messages are fetched by ids too, and are no documents.
  if (item.kind !== "document") return;
  const message = `Delete the document "${item.document.title}" (${id}) with its original and its index, for good?`;
  answerTo(consent, { subject: "delete", message });
}
