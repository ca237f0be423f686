import * as z from "zod";
import { unwrap, WaypostError } from "../errors.ts";
import { wholeCharacter } from "../search/boundaries.ts";
import type { FetchedItem } from "../vault/types.ts";
import { isAnswerId } from "./chat_turn.ts";
import { beginning, howMany, RESULT_TOKENS, tokensOf } from "./cut.ts";
import { defineTool } from "./define.ts";
import { NextCalls, nextLines, nextOf } from "./next_calls.ts";

/** Characters of text in one answer; fewer where they are more tokens than an agent is given at once. */
const maxText = 20_000;
/** Tokens of a document's metadata in one answer. */
const maxMetadataTokens = 2_500;
/** Characters before a passage that tell what it is about. */
const lead = 1_000;

const FetchInput = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(600)
    .describe("From search: passage <document id>~<n>, message msg:<id>; or a document id")
    .meta({ aka: ["document_id", "passage_id"] }),
  offset: z.number().int().min(0).max(1e9).default(0).describe("Character to start at: next_offset of the last answer"),
});

const FetchOutput = z.object({
  id: z.string(),
  title: z.string(),
  text: z.string(),
  url: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  metadata_left_out: z.array(z.string()).optional().describe("Too long; sync_session tells them"),
  kind: z.enum(["document", "passage", "message"]),
  format: z
    .enum(["text", "markdown", "code", "html"])
    .optional()
    .describe("Of a document, whose text this is without HTML's tags"),
  offset: z.number(),
  next_offset: z.number().nullable().describe("Null: that was all"),
  length: z.number().describe("Characters in all"),
  next: NextCalls,
});

type Fetched = z.output<typeof FetchOutput>;

export const fetch = defineTool({
  name: "fetch",
  title: "Fetch",
  description:
    "Reads one item in full by its id: a document, a passage or a message that search found or the user named. A document id " +
    "(the part before ~) gives the text around a passage. Not for finding things (search), URLs or files. Returns text, url and " +
    "metadata; a long text comes in parts, the next one with offset = next_offset.",
  scope: "search",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: FetchInput,
  output: FetchOutput,
  rest: { method: "post", path: "/fetch" },
  run: async (call, { id, offset }) => {
    const found = await call.vault.fetchItem(id, { offset, length: maxText });
    if (!found.ok && found.code === "not_found" && isAnswerId(id)) throw notYet(found.detail);
    return withNext(fitting(present(id, offset, unwrap(found))));
  },
  text: ({ id, title, text, url, kind, offset, next_offset, length, next }) => {
    const part =
      offset > 0 || next_offset !== null ? `, characters ${offset} to ${offset + text.length} of ${length}` : "";
    const more = next_offset === null ? [] : [`(${length - next_offset} more characters.)`];
    return [`${title || "(untitled)"}\n${kind} ${id}${part}\n${url}`, text, ...more, ...nextLines(next)].join("\n\n");
  },
});

/** A client that waits no longer is given the id of an answer that is still being written. */
const notYet = (detail: string) =>
  new WaypostError(
    "not_found",
    `${detail} If a call that still runs gave this id, its answer will be here when it ends.`,
    {
      retry: "later",
      retry_after: 15,
      next: "Ask again in a quarter of a minute, for two minutes; if nothing is here then, the call failed.",
    },
  );

/** With as much of the text as an agent can bear beside the metadata. */
function fitting(fetched: Fetched): Fetched {
  const { text, offset, metadata } = fetched;
  const part = beginning(text, RESULT_TOKENS - tokensOf(metadata));
  return part === text ? fetched : { ...fetched, text: part, next_offset: offset + part.length };
}

function withNext(fetched: Fetched): Fetched {
  const { id, kind, metadata, next_offset } = fetched;
  const around = Math.max(0, Number(metadata.start) - lead);
  return {
    ...fetched,
    ...nextOf([
      next_offset !== null && { tool: "fetch", arguments: { id, offset: next_offset }, why: "to read on" },
      kind === "passage" && {
        tool: "fetch",
        arguments: { id: metadata.document_id, offset: around },
        why: "for the text around it",
      },
    ]),
  };
}

function shortMetadata(metadata: Record<string, unknown>): Pick<Fetched, "metadata" | "metadata_left_out"> {
  const entries = Object.entries(metadata);
  const n = howMany(entries, maxMetadataTokens, 0);
  if (n === entries.length) return { metadata };
  return {
    metadata: Object.fromEntries(entries.slice(0, n)),
    metadata_left_out: entries.slice(n, n + 50).map(([name]) => name.slice(0, 100)),
  };
}

function present(id: string, offset: number, item: FetchedItem): Fetched {
  if (item.kind === "message") {
    const { session_id, session_title, message } = item;
    const { role, created_at, model, parent_id, metadata } = message;
    return {
      id,
      kind: "message",
      title: session_title,
      url: `waypost://sessions/${encodeURIComponent(session_id)}`,
      ...shortMetadata({
        ...{ session_id, role, created_at, parent_id, ...(model ? { model } : {}) },
        ...(metadata?.citations === undefined ? {} : { citations: metadata.citations }),
      }),
      ...part(message.content, offset),
    };
  }
  const { document } = item;
  const shared = {
    id,
    title: document.title,
    url: document.url ?? `waypost://documents/${encodeURIComponent(document.id)}`,
    ...shortMetadata(document.metadata),
    format: document.format,
  };
  if (item.kind === "document") {
    const next = Math.min(offset, item.length) + item.text.length;
    return {
      ...shared,
      kind: "document",
      text: item.text,
      offset,
      next_offset: next < item.length ? next : null,
      length: item.length,
    };
  }
  const { heading, start, end, n } = item.chunk;
  const place = { document_id: document.id, passage: n, passages: item.chunk_count, heading, start, end };
  return { ...shared, kind: "passage", metadata: { ...shared.metadata, ...place }, ...part(item.chunk.text, offset) };
}

/** A part of a text that is at hand, ending at a line where there is one. */
function part(text: string, offset: number): Pick<Fetched, "text" | "offset" | "next_offset" | "length"> {
  const most = offset + maxText;
  const line = text.lastIndexOf("\n", most - 1) + 1;
  const end = most >= text.length ? text.length : line > offset ? line : wholeCharacter(text, most);
  return { text: text.slice(offset, end), offset, next_offset: end < text.length ? end : null, length: text.length };
}
