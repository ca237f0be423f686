import { utf8Bytes } from "../tokens.ts";
import { type Fields, isObject } from "./fields.ts";

/**
 * Upper bound of a request's input tokens. Words never take more tokens than bytes (see tokens.ts); a picture or a PDF takes
 * what the dearest model is published to take of it; a file behind an address can be as long as providers accept one.
 */

/** What a template adds around a message, a part of one, or a tool; around a prompt; and to explain tools to the model. */
const PER_ITEM = 16;
const PER_PROMPT = 64;
const FOR_TOOLS = 1024;
const FOR_SCHEMA = 512;

/** gpt-4o-mini: 2,833 for a picture, 5,667 for each of up to 8 tiles of 512 pixels; without detail the first alone. */
const PICTURE = 2_833 + 8 * 5_667;
const PICTURE_LOW = 2_833;
/** Claude: a picture is made smaller until it takes no more than this. */
const PICTURE_CLAUDE = 4_784;
/** Claude reads a page both as text, up to this much, and as a picture; and so many pages. */
const PAGE_TEXT = 3_000;
const MOST_PAGES = 600;

/** The name of a model tells what a picture takes; without it the dearest counts. */
const pictureOf = (model: string | undefined): number => (model && /claude/i.test(model) ? PICTURE_CLAUDE : PICTURE);

/** What of a request a model reads. */
export interface Reads {
  /** Names of the fields that hold the conversation. */
  prompt: readonly string[];
  /** Names of the fields that hold a schema for the answer. */
  schema: readonly string[];
}

export function boundOf(body: Fields, { prompt, schema }: Reads, model: string | undefined): number {
  let tokens = PER_PROMPT;
  for (const field of prompt) tokens += bound(body[field], model);
  for (const field of schema) if (isObject(body[field])) tokens += jsonBytes(body[field]) + FOR_SCHEMA;
  if (Array.isArray(body.tools) && body.tools.length > 0) {
    tokens += jsonBytes(body.tools) + body.tools.length * PER_ITEM + FOR_TOOLS + jsonBytes(body.tool_choice ?? null);
  }
  return tokens;
}

const jsonBytes = (value: unknown): number => utf8Bytes(JSON.stringify(value) ?? "");

function bound(value: unknown, model: string | undefined): number {
  if (typeof value === "string") return utf8Bytes(value);
  if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + PER_ITEM + bound(item, model), 0);
  if (!isObject(value)) return PER_ITEM;
  const media = mediaBound(value, model);
  if (media !== undefined) return media;
  let tokens = 0;
  for (const [name, inner] of Object.entries(value)) tokens += utf8Bytes(name) + 6 + bound(inner, model);
  return tokens;
}

/** Tokens of a part that is a picture or a file; undefined when it is none. */
function mediaBound(part: Fields, model: string | undefined): number | undefined {
  switch (part.type) {
    case "image_url": {
      const { image_url } = part;
      return picture(isObject(image_url) ? image_url.detail : undefined, model);
    }
    case "input_image":
      return picture(part.detail, model);
    case "image":
      return picture(undefined, model);
    case "file":
      return isObject(part.file) ? file(part.file.file_data, part.file.filename, model) : undefined;
    case "input_file":
      return file(part.file_data ?? part.file_url, part.filename, model);
    case "document":
      return document(part, model);
    case "tool_use":
      return jsonBytes(part);
  }
  return undefined;
}

function picture(detail: unknown, model: string | undefined): number {
  if (detail === "low") return Math.min(PICTURE_LOW, pictureOf(model));
  return pictureOf(model);
}

/** A document of Anthropic's: base64, text, an address, or parts. */
function document({ source, ...about }: Fields, model: string | undefined): number {
  const words = bound(about.title, model) + bound(about.context, model);
  if (!isObject(source)) return words;
  if (source.type === "base64") return words + file(source.data, undefined, model);
  return words + (source.type === "url" ? file(undefined, undefined, model) : bound(source, model));
}

function file(data: unknown, filename: unknown, model: string | undefined): number {
  const named = typeof filename === "string" ? utf8Bytes(filename) + PER_ITEM : PER_ITEM;
  if (typeof data !== "string") return named + MOST_PAGES * pageOf(model);
  // Text is never longer than its base64.
  const isText = data.startsWith("data:") ? data.startsWith("data:text/") : /\.(txt|md|csv)$/i.test(String(filename));
  if (isText) return named + data.length;
  return named + pagesOf(data) * pageOf(model);
}

const pageOf = (model: string | undefined): number => PAGE_TEXT + pictureOf(model);

/** Pages of a PDF where they stand in the open; where objects are compressed, as many as providers accept. */
function pagesOf(given: string): number {
  let pdf: string;
  try {
    pdf = atob(given.replace(/^data:[^,]*,/, ""));
  } catch {
    return MOST_PAGES;
  }
  if (!pdf.startsWith("%PDF") || pdf.includes("/ObjStm")) return MOST_PAGES;
  const pages = pdf.match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  return pages === 0 ? MOST_PAGES : Math.min(pages, MOST_PAGES);
}
