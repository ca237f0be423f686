import type { Chunk, DocumentFormat } from "../vault/types.ts";
import { chunk } from "./chunk.ts";
import { firstHeading } from "./markdown.ts";

/** A document as somebody posted it. */
export interface PostedDocument {
  id?: string;
  title?: string;
  text: string;
  url?: string;
  format?: DocumentFormat;
}

export interface PreparedText {
  title: string;
  format: DocumentFormat;
  text: string;
  chunks: Chunk[];
}

const codeEndings = new Set(
  `astro bash c cc cjs clj cpp cs css cxx dart ex exs erl fs go graphql groovy h hpp hs ini java jl js json jsonl jsx kt kts
  lua m mjs mts php pl proto ps1 py r rb rs scala scss sh sol sql svelte swift tf toml ts tsx vb vue xml yaml yml zig`.split(
    /\s+/,
  ),
);
const maxTitle = 200;

/** Reduces a posted document to plain text, finds its title and cuts it into chunks. No chunks: there is no text in it. */
export async function prepare(posted: PostedDocument): Promise<PreparedText> {
  const format = posted.format ?? guessFormat(posted);
  const source = posted.text
    .toWellFormed()
    .replace(/^\uFEFF/, "")
    .replaceAll("\r\n", "\n");
  const { text, title } = format === "html" ? await htmlToText(source) : { text: source, title: "" };
  if (!text.trim()) return { title: "", format, text: "", chunks: [] };
  const found = posted.title?.trim() || title || inferTitle(text, format, posted.id ?? posted.url ?? "");
  return { title: found.slice(0, maxTitle).toWellFormed(), format, text, chunks: chunk(text, format) };
}

/** The parser is loaded with the first page: starting the Worker would otherwise pay for its tables every time. */
async function htmlToText(source: string): Promise<{ text: string; title: string }> {
  const html = await import("./html.ts");
  return html.htmlToText(source);
}

/** From the ending of the id or URL, else from how the text opens. */
export function guessFormat({ id, url, text }: PostedDocument): DocumentFormat {
  for (const name of [id, url]) {
    const ending = /\.([a-z0-9]{1,8})$/.exec((name ?? "").replace(/[?#].*$/s, "").toLowerCase())?.[1];
    if (!ending) continue;
    if (ending === "md" || ending === "mdx" || ending === "markdown") return "markdown";
    if (ending === "html" || ending === "htm" || ending === "xhtml") return "html";
    if (ending === "txt") return "text";
    if (codeEndings.has(ending)) return "code";
  }
  const opening = text.slice(0, 1_000).trimStart();
  if (/^(?:<!doctype html|<html[\s>])/i.test(opening)) return "html";
  return /^#{1,6}[ \t]+\S/.test(opening) ? "markdown" : "text";
}

function inferTitle(text: string, format: DocumentFormat, name: string): string {
  if (format === "code" && name) return name.split("/").filter(Boolean).at(-1) ?? name;
  const heading = format === "markdown" || format === "html" ? firstHeading(text) : "";
  return heading || openingWords(text);
}

function openingWords(text: string): string {
  const line = text.trimStart().slice(0, 1_000).split("\n", 1)[0]?.trim() ?? "";
  if (line.length <= 100) return line;
  const cut = line.slice(0, 100);
  return `${cut.slice(0, Math.max(40, cut.lastIndexOf(" ")))}…`;
}

/**
 * Why a text cannot be one: it is empty, or it is binary data that was read as text. Null when it can.
 */
export function whyNotText(text: string): string | null {
  if (!text.trim()) return "The text is empty.";
  if (text.includes("\u0000")) return "The text contains NUL characters: it looks like a binary file.";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  const strange = text.match(/[\u0001-\u0008\u000e-\u001a\u001c-\u001f\u007f\ufffd]/g)?.length ?? 0;
  return strange > 2 && strange > text.length / 100
    ? "The text is full of control or replacement characters: it looks like a binary file read as text."
    : null;
}
