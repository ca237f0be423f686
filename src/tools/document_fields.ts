import * as z from "zod";

/**
 * A document's id, the caller's own. `<id>~<n>` names a passage and `msg:<id>` a message in the answers of `search`, so
 * neither form may be the id of a document.
 */
export const DocumentId = z
  .string()
  .min(1)
  .max(512)
  .refine((id) => id.trim() === id && id.isWellFormed() && !id.includes("\u0000"), {
    error: "An id has no white space around it and is valid Unicode.",
  })
  .refine((id) => !/~\d+$/.test(id), { error: "An id must not end in ~ and digits: such ids name passages." })
  .refine((id) => !id.startsWith("msg:"), { error: "An id must not start with msg: - such ids name messages." });

export const Metadata = z.record(z.string(), z.unknown());
