import { urlsOf } from "../auth/urls.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { piecesOf } from "../gate/pieces.ts";
import type { Visit } from "./visit.ts";

const MAX_BYTES = 64 * 1024;
/** The field with the form token, in every form. */
export const TOKEN_FIELD = "form_token";

/**
 * The fields of a form that one of our own pages, in this very browser, sent. Every POST route of the pages begins with this.
 * @throws WaypostError `form_refused` when another site, browser or session sent it; `payload_too_large`
 */
export async function readForm(request: Request, env: Env, visit: Visit): Promise<URLSearchParams> {
  checkSameOrigin(request, env);
  const [type] = (request.headers.get("content-type") ?? "").split(";");
  if (type?.trim().toLowerCase() !== "application/x-www-form-urlencoded") {
    throw new WaypostError("form_refused", "Forms are sent as application/x-www-form-urlencoded.");
  }
  const form = new URLSearchParams(await readText(request));
  const tokens = form.getAll(TOKEN_FIELD);
  if (tokens.length !== 1 || !(await visit.owns(tokens[0] ?? ""))) {
    throw new WaypostError("form_refused", "The page is out of date, or belongs to another browser or sign-in.");
  }
  return form;
}

/**
 * A browser says where a request comes from in two headers that pages cannot set. `Origin` is `null` on our own forms, as
 * our pages give away no referrer, so `Sec-Fetch-Site` decides where there is one.
 * @throws WaypostError `form_refused`
 */
export function checkSameOrigin(request: Request, env: Env): void {
  const site = request.headers.get("sec-fetch-site");
  const origin = request.headers.get("origin");
  const ours = origin !== null && urlsOf(env).origins.includes(origin);
  const sameOrigin = site === null ? ours : site === "same-origin" && (ours || origin === null || origin === "null");
  if (!sameOrigin) throw new WaypostError("form_refused", "The request came from somewhere else.");
}

async function readText(request: Request): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of piecesOf(request)) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new WaypostError("payload_too_large", `A form has at most ${MAX_BYTES / 1024} KiB.`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
