import type { LanguageModelV4ToolResultOutput } from "@ai-sdk/provider";
import {
  type Fields,
  isAbsent,
  isObject,
  list,
  object,
  oneOf,
  optionalFlag,
  optionalText,
  refuse,
  text,
} from "./fields.ts";
import { fileOf, imageAt, imageOf, webUrl } from "./media.ts";
import type { UserPart } from "./prompt_builder.ts";

/** A content block that a user may send; a document of blocks becomes several parts. */
export function readUserPart(part: Fields, path: string): UserPart[] {
  const type = oneOf(part.type, `${path}.type`, ["text", "image", "document", "tool_result"]);
  if (type === "text") return [{ type, text: text(part.text, `${path}.text`) }];
  return type === "image" ? [image(part, path)] : document(part, path);
}

const FILES = "files kept at a provider cannot be read here; send the content";

function image(part: Fields, path: string): UserPart {
  const source = object(part.source, `${path}.source`);
  if (source.type === "file") refuse(`${path}.source.type`, FILES);
  const type = oneOf(source.type, `${path}.source.type`, ["base64", "url"]);
  if (type === "url") return imageAt(text(source.url, `${path}.source.url`), `${path}.source.url`);
  const data = text(source.data, `${path}.source.data`);
  return imageOf(text(source.media_type, `${path}.source.media_type`), data, `${path}.source`);
}

function document(part: Fields, path: string): UserPart[] {
  const { citations } = part;
  if (isObject(citations) && citations.enabled === true) refuse(`${path}.citations`, "citations are not converted");
  const source = object(part.source, `${path}.source`);
  if (source.type === "file") refuse(`${path}.source.type`, FILES);
  const about = [optionalText(part.title, `${path}.title`), optionalText(part.context, `${path}.context`)];
  const head: UserPart[] = about.flatMap((line) => (line ? [{ type: "text" as const, text: line }] : []));
  const type = oneOf(source.type, `${path}.source.type`, ["base64", "text", "content", "url"]);
  const at = `${path}.source`;
  switch (type) {
    case "base64": {
      const mediaType = text(source.media_type, `${at}.media_type`);
      return [...head, fileOf(text(source.data, `${at}.data`), `${at}.data`, undefined, mediaType)];
    }
    case "text":
      return [...head, { type: "text", text: text(source.data, `${at}.data`) }];
    case "url": {
      const url = webUrl(text(source.url, `${at}.url`), `${at}.url`);
      return [...head, { type: "file", mediaType: "application/pdf", data: { type: "url", url } }];
    }
    case "content":
      if (typeof source.content === "string") return [...head, { type: "text", text: source.content }];
      return [
        ...head,
        ...list(source.content, `${at}.content`).flatMap((each, i) => inner(each, `${at}.content.${i}`)),
      ];
  }
}

function inner(value: unknown, path: string): UserPart[] {
  const part = object(value, path);
  oneOf(part.type, `${path}.type`, ["text", "image"]);
  return readUserPart(part, path);
}

/** What a tool gave: its words, and apart from them its pictures and files. */
export function readResult(
  part: Fields,
  path: string,
): { output: LanguageModelV4ToolResultOutput; pictures: UserPart[] } {
  const failed = optionalFlag(part.is_error, `${path}.is_error`) ?? false;
  const given = content(part.content, `${path}.content`);
  const words = given.flatMap((each) => (each.type === "text" ? [each.text] : [])).join("\n");
  return {
    output: { type: failed ? "error-text" : "text", value: words },
    pictures: given.filter(({ type }) => type === "file"),
  };
}

function content(value: unknown, path: string): UserPart[] {
  if (isAbsent(value)) return [];
  if (typeof value === "string") return [{ type: "text", text: value }];
  return list(value, path).flatMap((each, i) => {
    const part = object(each, `${path}.${i}`);
    oneOf(part.type, `${path}.${i}.type`, ["text", "image", "document"]);
    return readUserPart(part, `${path}.${i}`);
  });
}
