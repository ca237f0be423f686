import * as z from "zod";
import { unwrap } from "../errors.ts";
import { wholeCharacter } from "../search/boundaries.ts";
import type { FetchedItem } from "../vault/types.ts";
import { defineTool } from "./define.ts";

/** Characters of text in one answer: under 6,000 tokens of prose. */
const maxText = 20_000;

const FetchInput = z.strictObject({
  id: z.string().min(1).max(600).describe("From search: passage <document id>~<n>, message msg:<id>; or a document id"),
  offset: z.number().int().min(0).max(1e9).default(0).describe("Character to start at: next_offset of the last answer"),
});

const FetchOutput = z.object({
  id: z.string(),
  title: z.string(),
  text: z.string(),
  url: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  kind: z.enum(["document", "passage", "message"]),
  format: z
    .enum(["text", "markdown", "code", "html"])
    .optional()
    .describe("Of a document, whose text this is without HTML's tags"),
  offset: z.number(),
  next_offset: z.number().nullable().describe("Null: that was all"),
  length: z.number().describe("Characters in all"),
});

type Fetched = z.output<typeof FetchOutput>;

export const fetch = defineTool({
  name: "fetch",
  title: "Fetch",
  description:
    "Reads one item in full: a document, a passage or a message. Use it on the ids that search returns; a document id " +
    "(the part before ~) gives the text around a passage. Not for URLs or files. Returns title, text, url and metadata; " +
    "a long text comes in parts, the next one with offset = next_offset.",
  scope: "search",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: FetchInput,
  output: FetchOutput,
  rest: { method: "post", path: "/fetch" },
  run: async (call, { id, offset }) =>
    present(id, offset, unwrap(await call.vault.fetchItem(id, { offset, length: maxText }))),
  text: ({ id, title, text, url, kind, offset, next_offset, length }) => {
    const part =
      offset > 0 || next_offset !== null ? `, characters ${offset} to ${offset + text.length} of ${length}` : "";
    const more =
      next_offset === null ? [] : [`(${length - next_offset} more characters: fetch with offset ${next_offset}.)`];
    return [`${title || "(untitled)"}\n${kind} ${id}${part}\n${url}`, text, ...more].join("\n\n");
  },
});

function present(id: string, offset: number, item: FetchedItem): Fetched {
  if (item.kind === "message") {
    const { session_id, session_title, message } = item;
    const { role, created_at, model, parent_id } = message;
    return {
      id,
      kind: "message",
      title: session_title,
      url: `waypost://sessions/${encodeURIComponent(session_id)}`,
      metadata: { session_id, role, created_at, parent_id, ...(model ? { model } : {}) },
      ...part(message.content, offset),
    };
  }
  const { document } = item;
  const shared = {
    id,
    title: document.title,
    url: document.url ?? `waypost://documents/${encodeURIComponent(document.id)}`,
    format: document.format,
  };
  if (item.kind === "document") {
    const next = Math.min(offset, item.length) + item.text.length;
    return {
      ...shared,
      kind: "document",
      metadata: document.metadata,
      text: item.text,
      offset,
      next_offset: next < item.length ? next : null,
      length: item.length,
    };
  }
  const { heading, start, end, n } = item.chunk;
  const place = { document_id: document.id, passage: n, passages: item.chunk_count, heading, start, end };
  return { ...shared, kind: "passage", metadata: { ...document.metadata, ...place }, ...part(item.chunk.text, offset) };
}

/** A part of a text that is at hand, ending at a line where there is one. */
function part(text: string, offset: number): Pick<Fetched, "text" | "offset" | "next_offset" | "length"> {
  const most = offset + maxText;
  const line = text.lastIndexOf("\n", most - 1) + 1;
  const end = most >= text.length ? text.length : line > offset ? line : wholeCharacter(text, most);
  return { text: text.slice(offset, end), offset, next_offset: end < text.length ? end : null, length: text.length };
}
