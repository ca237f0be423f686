import type { LanguageModelV4FilePart } from "@ai-sdk/provider";
import { refuse } from "./fields.ts";

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w.+-]+=[^;,]*)*;base64,/i;
const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** A picture at an address: `https:`, or `data:` with base64. */
export function imageAt(url: string, path: string): LanguageModelV4FilePart {
  if (!url.startsWith("data:"))
    return { type: "file", mediaType: "image", data: { type: "url", url: webUrl(url, path) } };
  const { mediaType, data } = dataUrl(url, path);
  return imageOf(mediaType, data, path);
}

export function imageOf(mediaType: string, data: string, path: string): LanguageModelV4FilePart {
  const type = mediaType.toLowerCase() === "image/jpg" ? "image/jpeg" : mediaType.toLowerCase();
  if (!IMAGES.includes(type)) refuse(path, `must be a picture of type ${IMAGES.join(", ")}, not ${type.slice(0, 60)}`);
  return { type: "file", mediaType: type, data: { type: "data", data: base64(data, path) } };
}

/** A document as base64, or as a data URL. Other than text it can only be a PDF: no other kind is read by every provider. */
export function fileOf(given: string, path: string, filename?: string, mediaType?: string): LanguageModelV4FilePart {
  const { mediaType: type, data } = given.startsWith("data:")
    ? dataUrl(given, path)
    : { mediaType: mediaType ?? typeByName(filename), data: base64(given, path) };
  const named = filename === undefined ? {} : { filename };
  if (type.startsWith("text/")) {
    return { type: "file", mediaType: "text/plain", data: { type: "text", text: utf8(data, path) }, ...named };
  }
  if (type !== "application/pdf") refuse(path, `must be a PDF or text, not ${type.slice(0, 60)}`);
  return { type: "file", mediaType: type, data: { type: "data", data }, ...named };
}

export function webUrl(url: string, path: string): URL {
  const parsed = URL.parse(url);
  if (!parsed || (parsed.protocol !== "https:" && parsed.protocol !== "http:")) {
    refuse(path, "must be an https: address, or data: with base64");
  }
  return parsed;
}

const typeByName = (filename = ""): string => (/\.(txt|md|csv)$/i.test(filename) ? "text/plain" : "application/pdf");

function dataUrl(url: string, path: string): { mediaType: string; data: string } {
  const found = DATA_URL.exec(url.slice(0, 300));
  if (!found?.[1]) refuse(path, "must be a data URL with a media type and base64");
  return { mediaType: found[1].toLowerCase(), data: base64(url.slice(found[0].length), path) };
}

/** Looked at from both ends only: it can be large, and whoever reads the picture says more. */
function base64(data: string, path: string): string {
  const ends = data.slice(0, 64) + data.slice(-64);
  if (data.length === 0 || !/^[A-Za-z0-9+/=\s]+$/.test(ends)) refuse(path, "must be base64");
  return data;
}

function utf8(data: string, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(
      Uint8Array.from(atob(data), (c) => c.charCodeAt(0)),
    );
  } catch {
    return refuse(path, "must be UTF-8 text as base64");
  }
}
