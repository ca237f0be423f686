import * as z from "zod";
import { type InputIssue, unwrap, WaypostError } from "../errors.ts";
import { prepare, whyNotText } from "../search/prepare.ts";
import { sha256 } from "../sha256.ts";
import type { PreparedDocument } from "../vault/types.ts";
import { type Call, defineTool } from "./define.ts";
import { DocumentId, Metadata } from "./document_fields.ts";

const MiB = 1_048_576;
const maxDocumentBytes = 4 * MiB;
const maxCallBytes = 8 * MiB;
const maxMetadataBytes = 16_384;

/** Documents after which a call that nobody reads along with lets others have a turn. */
const UNWATCHED = 8;

/** Clients show a source as a link: these would run instead of lead somewhere. */
const linkable = /^(?!(?:javascript|data|vbscript)$)/;

const contentTypes = { text: "text/plain", markdown: "text/markdown", code: "text/plain", html: "text/html" } as const;

const NO_TEXT = "Needed: the content itself. A url is kept as the source and is not fetched.";

const PostedDocument = z.strictObject({
  id: DocumentId.optional().describe("Yours, e.g. a path; replaces what has it. Default: from url, or title and text"),
  title: z.string().max(500).optional().describe("Default: <title>, first heading or first line"),
  text: z
    .string({ error: ({ input }) => (input === undefined ? NO_TEXT : undefined) })
    .max(maxDocumentBytes)
    .describe("The content, at most 4 MiB")
    .meta({ aka: ["content", "body"] }),
  url: z.url({ protocol: linkable }).max(2_048).optional().describe("Source, for citations"),
  format: z.enum(["text", "markdown", "code", "html"]).optional().describe("Default: guessed"),
  metadata: Metadata.optional()
    .describe("For search's filter; at most 16 KiB")
    .meta({ examples: [{ team: "infra" }] }),
});
type PostedDocument = z.output<typeof PostedDocument>;

const AddDocumentsInput = z.strictObject({
  documents: z.array(PostedDocument).min(1).max(100).describe("At most 8 MiB of text in all"),
});

const AddDocumentsOutput = z.object({
  documents: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      status: z.enum(["created", "updated", "unchanged"]),
      revision: z.number(),
      chunks: z.number(),
    }),
  ),
});

/** A document ready for the vault, with the bytes that were posted. */
interface Ready {
  original: Uint8Array<ArrayBuffer>;
  document: Omit<PreparedDocument, "sha256">;
}

export const addDocuments = defineTool({
  name: "add_documents",
  title: "Add documents",
  description:
    "Saves texts in the user's knowledge and indexes them: search finds them in the very next call. Use it for notes, pages and " +
    "code worth remembering; an id that exists replaces that document. Not for conversations (sync_session) or binary files. " +
    "All are checked before any is stored. Returns id, status and chunks of each.",
  scope: "documents:write",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: AddDocumentsInput,
  output: AddDocumentsOutput,
  rest: { method: "post", path: "/documents" },
  cancellable: true,
  run: async (call, { documents }) => {
    const ready = await prepareAll(documents);
    const stored: z.output<typeof AddDocumentsOutput>["documents"] = [];
    for (const one of ready) {
      goOn(call, stored, ready.length);
      const kept = await store(call, one);
      stored.push(kept);
      call.emit({ type: "progress", progress: stored.length, total: ready.length, message: kept.id });
      if (call.streamed || stored.length % UNWATCHED === 0) await breath();
    }
    return { documents: stored };
  },
  text: ({ documents }) =>
    [
      `${documents.length} document${documents.length === 1 ? "" : "s"} stored; search finds them now.`,
      ...documents.map(
        ({ id, title, status, revision, chunks }) =>
          `- ${id} "${title}": ${status}, revision ${revision}, ${chunks} chunk${chunks === 1 ? "" : "s"}`,
      ),
    ].join("\n"),
});

/** Lets what waits have its turn, such as a progress to be sent or a cancellation: storing alone leaves it none. */
const breath = () => new Promise<void>((resolve) => setTimeout(resolve, 1));

/**
 * What is stored stays, also when the rest is not wanted any more or there is no time for it.
 * @throws WaypostError `client_closed`, `deadline_exceeded`
 */
function goOn({ signal, left }: Call, stored: readonly { id: string }[], total: number): void {
  if (!signal.aborted && !left?.aborted) return;
  const ids = stored.map(({ id }) => id);
  const detail = `${stored.length} of ${total} documents are stored, the others are not.`;
  const { name } = (signal.reason ?? {}) as { name?: unknown };
  if (name === "TimeoutError") throw new WaypostError("deadline_exceeded", detail, { stored: ids });
  throw new WaypostError("client_closed", `The call was cancelled. ${detail}`, { stored: ids });
}

/** Checks and prepares all documents, so that a bad one refuses the call before anything is written. */
async function prepareAll(documents: readonly PostedDocument[]): Promise<Ready[]> {
  const issues: InputIssue[] = [];
  const ready: Ready[] = [];
  const positions = new Map<string, number>();
  let bytes = 0;
  for (const [i, posted] of documents.entries()) {
    const one = await prepareOne(posted);
    bytes += one.original.byteLength;
    if (one.original.byteLength > maxDocumentBytes) {
      throw new WaypostError("payload_too_large", `documents.${i}.text is larger than 4 MiB.`);
    }
    for (const problem of problems(posted, one)) issues.push({ ...problem, path: `documents.${i}.${problem.path}` });
    const at = positions.get(one.document.id);
    const twin = at === undefined ? undefined : documents[at];
    if (twin && !isRepeated(twin, posted, ready[at as number], one)) {
      const path = posted.id === undefined && twin.id === undefined ? "url" : "id";
      issues.push({ path: `documents.${i}.${path}`, message: `The same ${path} as documents.${at}.` });
    }
    positions.set(one.document.id, i);
    ready.push(one);
  }
  if (bytes > maxCallBytes) throw new WaypostError("payload_too_large", "The texts are larger than 8 MiB in all.");
  if (issues.length > 0) {
    throw new WaypostError("invalid_input", "Nothing was stored: some documents are not acceptable.", { issues });
  }
  return ready;
}

async function prepareOne(posted: PostedDocument): Promise<Ready> {
  const original = utf8(posted.text);
  const prepared = await prepare(posted);
  const url = posted.url ?? null;
  const ids = idsOf(posted, prepared.title);
  const document = { ...prepared, ...ids, url, bytes: original.byteLength, metadata: posted.metadata ?? {} };
  return { original, document };
}

/** The id it was given, else that of its page, else one for its title and text: two files with the same text are two documents. */
function idsOf({ id, url, text }: PostedDocument, title: string): { id: string; old_id?: string } {
  if (id !== undefined) return { id };
  const made = (from: string) => `doc_${sha256(from).slice(0, 24)}`;
  if (url !== undefined) return { id: made(url) };
  return { id: made(`${title}\0${text}`), old_id: made(text) };
}

/** Whether two of one id are the same document sent twice, and not two that were given one id. */
const isRepeated = (a: PostedDocument, b: PostedDocument, x: Ready | undefined, y: Ready): boolean =>
  a.id === undefined && b.id === undefined && a.text === b.text && x?.document.title === y.document.title;

function problems({ text, metadata }: PostedDocument, { document }: Ready): InputIssue[] {
  const found: InputIssue[] = [];
  const why = whyNotText(text) ?? (document.chunks.length === 0 ? "There is no text in this HTML." : null);
  if (why) found.push({ path: "text", message: why });
  if (metadata && utf8(JSON.stringify(metadata)).byteLength > maxMetadataBytes) {
    found.push({ path: "metadata", message: "The metadata is larger than 16 KiB." });
  }
  return found;
}

/** The original first, so that no stored document lacks it; the replaced one last, when nothing needs it any more. */
async function store(call: Call, { original, document }: Ready) {
  const sha256 = await call.blobs.put(original, `${contentTypes[document.format]}; charset=utf-8`);
  const { orphan, id, status, revision, chunks } = unwrap(await call.vault.putDocument({ ...document, sha256 }));
  if (orphan) await call.blobs.delete(orphan);
  return { id, title: document.title, status, revision, chunks };
}

const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
