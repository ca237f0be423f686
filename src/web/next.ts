import { pattern } from "../pattern.ts";

const BASE = "https://path.invalid";
const MAX_LENGTH = 8_192;
const PATH = pattern(String.raw`^/(?![/\\])[^\\\p{C}]*$`, "u");

/** Where to go after signing in: a path of this site, or the account page when what was asked is none. */
export function safeNext(next: string | null): string {
  if (next === null || next.length > MAX_LENGTH || !PATH().test(next)) return "/account";
  let url: URL;
  try {
    url = new URL(next, BASE);
  } catch {
    return "/account";
  }
  const path = `${url.pathname}${url.search}`;
  // Dots may have been folded into `//host`.
  return url.origin === BASE && !path.startsWith("//") ? path : "/account";
}
