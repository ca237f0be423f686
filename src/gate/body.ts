import { WaypostError } from "../errors.ts";
import { PIECE_BYTES, piecesOf } from "./pieces.ts";

/** The largest body any door reads: 100 documents of a call with room for their JSON. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** A body larger than this is only read for a caller who is known. */
const TRUST_BYTES = PIECE_BYTES;
const MAX_DEPTH = 64;

/**
 * Reads a JSON body, never more than the limit, never deeper than code that recurses can bear.
 * @param identify called before a large body is read, and before any fault is told; throws when the caller is not known
 * @throws WaypostError `unsupported_media_type`, `payload_too_large`, `invalid_json`
 */
export async function readJson(request: Request, identify: () => Promise<unknown>): Promise<unknown> {
  try {
    return await parse(request, identify);
  } catch (error) {
    await identify();
    if (error instanceof WaypostError && error.code === "payload_too_large") await discard(request);
    throw error;
  }
}

/** Of a body that is refused for its size so much is taken in all the same, and forgotten. */
const DISCARDED_BYTES = 4 * MAX_BODY_BYTES;

/** Many clients write a whole request before they look for an answer: one that is cut off then tells of a broken connection. */
async function discard(request: Request): Promise<void> {
  const announced = Number(request.headers.get("content-length") ?? Number.NaN);
  if (!(announced <= DISCARDED_BYTES) || request.bodyUsed) return;
  try {
    for await (const _ of piecesOf(request));
  } catch {
    // The client has gone.
  }
}

async function parse(request: Request, identify: () => Promise<unknown>): Promise<unknown> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new WaypostError("unsupported_media_type", "The body must be sent as application/json.");
  }
  const text = await readText(request, identify);
  if (text.length > 2 * MAX_DEPTH && isTooDeep(text)) {
    throw new WaypostError("invalid_json", `The body is nested more than ${MAX_DEPTH} levels deep.`);
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new WaypostError("invalid_json", text.trim() === "" ? "The body is empty." : "The body is not valid JSON.");
  }
}

async function readText(request: Request, identify: () => Promise<unknown>): Promise<string> {
  const announced = Number(request.headers.get("content-length") ?? Number.NaN);
  if (announced > MAX_BODY_BYTES) throw tooLarge();
  if (announced <= TRUST_BYTES) return decode(new Uint8Array(await whole(request)));
  if (announced > TRUST_BYTES) await identify();
  return decode(await collect(request, announced > TRUST_BYTES ? async () => {} : identify));
}

/** The client went away, or its framing is broken: nothing failed on this side. */
const unreadable = () => new WaypostError("invalid_json", "The body could not be read to its end.");

const whole = (request: Request): Promise<ArrayBuffer> =>
  request.arrayBuffer().catch(() => {
    throw unreadable();
  });

async function collect(request: Request, identify: () => Promise<unknown>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  let known = false;
  try {
    for await (const part of piecesOf(request)) {
      size += part.byteLength;
      if (size > MAX_BODY_BYTES) throw tooLarge();
      if (size > TRUST_BYTES && !known) {
        await identify();
        known = true;
      }
      parts.push(part);
    }
  } catch (error) {
    throw error instanceof WaypostError ? error : unreadable();
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}

/** One for all: it keeps nothing from one text to the next. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new WaypostError("invalid_json", "The body is not UTF-8.");
  }
}

/** Looks at brackets outside strings only: it must not itself recurse. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > MAX_DEPTH) return true;
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
  return false;
}

const tooLarge = () => new WaypostError("payload_too_large", `A body may have at most ${MAX_BODY_BYTES} bytes.`);
