import { reindexDocuments } from "./document_generations.ts";
import { reindexMessages } from "./message_index.ts";
import { dropOld, forgetOld, hasOldIndex, oldRows } from "./old_index.ts";

/** Passages moved to the new index in one turn of the vault: some tens of ms. */
const slicePassages = 40;

/**
 * Moves some passages from the old index to the new one, and drops the old one when it is empty. Returns whether there is
 * more to do. Runs inside the caller's transaction: after a crash it goes on with what is in the old index still.
 */
export function reindexSlice(storage: DurableObjectStorage): boolean {
  if (!hasOldIndex(storage)) return false;
  const rows = oldRows(storage, slicePassages);
  if (rows.length === 0) {
    dropOld(storage);
    return false;
  }
  reindexDocuments(storage, rows);
  reindexMessages(storage, rows);
  // Those of revisions that are no longer visible are left to the sweep.
  forgetOld(storage, rows);
  return true;
}
