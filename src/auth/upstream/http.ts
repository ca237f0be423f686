import type { CustomFetchOptions } from "oauth4webapi";
import { UpstreamFailure } from "./failure.ts";

/** Milliseconds for all requests of one step of a sign-in together: a person is waiting. */
const STEP_MS = 10_000;
/** Bytes of an answer. The largest real ones, key sets, have a few kilobytes. */
const MAX_BYTES = 256 * 1024;

/** How a step of a sign-in speaks to its provider: bounded in time and size, no redirects, http on this machine alone. */
export interface Wire {
  signal: AbortSignal;
  fetch: (url: string, options: CustomFetchOptions<string, BodyInit | null | undefined>) => Promise<Response>;
}

/** The URL when it is https, or http of this machine; null otherwise. */
export function trustedUrl(text: string): URL | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") return null;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url)) ? url : null;
}

export const isLoopback = (url: URL): boolean => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);

/** A wire for one step. @param ms how long the step may take in all */
export function openWire(ms = STEP_MS): Wire {
  const signal = AbortSignal.timeout(ms);
  return { signal, fetch: (url, options) => boundedFetch(url, options, signal) };
}

async function boundedFetch(
  url: string,
  options: CustomFetchOptions<string, BodyInit | null | undefined>,
  signal: AbortSignal,
): Promise<Response> {
  if (!trustedUrl(url)) throw new UpstreamFailure("nonsense", "endpoint_not_https");
  try {
    const { method, headers, body } = options;
    const response = await fetch(url, { method, headers, body: body ?? null, redirect: "manual", signal });
    const bytes = await readBounded(response, signal);
    return new Response(bytes, { status: response.status, headers: response.headers });
  } catch (error) {
    if (error instanceof UpstreamFailure) throw error;
    throw signal.aborted ? new UpstreamFailure("slow", "timeout") : new UpstreamFailure("unreachable", "no_answer");
  }
}

/** The body as a whole. A server that sends slowly or without end is cut off. */
async function readBounded(response: Response, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer> | null> {
  if (response.body === null) return null;
  const reader = response.body.getReader();
  const cut = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cut);
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    size += part.value.byteLength;
    if (size > MAX_BYTES) {
      cut();
      throw new UpstreamFailure("nonsense", "answer_too_large");
    }
    parts.push(part.value);
  }
  signal.removeEventListener("abort", cut);
  if (signal.aborted) throw new UpstreamFailure("slow", "timeout");
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
}
