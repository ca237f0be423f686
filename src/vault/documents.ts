import { fail, type Result } from "../errors.ts";
import type { DeleteDocumentOutcome, PreparedDocument, PutDocumentOutcome } from "./types.ts";

export function createSchema(_storage: DurableObjectStorage): void {}
export function putDocument(_storage: DurableObjectStorage, document: PreparedDocument): Result<PutDocumentOutcome> {
  return fail("not_found", document.id);
}
export function deleteDocument(_storage: DurableObjectStorage, id: string): Result<DeleteDocumentOutcome> {
  return fail("not_found", id);
}
