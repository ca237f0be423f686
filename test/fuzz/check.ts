import { rpcFault } from "./check_rpc.ts";
import type { Answer, NoAnswer } from "./connection.ts";
import type { Input } from "./input.ts";
import { messagesOf, refusalOf } from "./refusal.ts";

/** What is wrong with an answer, in words; null when nothing is. */

/** Traces of the inside: stacks, paths, texts of libraries. */
const INSIDE =
  /\bat (async )?[\w.<>$]+ \(|\n\s+at \S+:\d+:\d+|node_modules|file:\/\/\/[a-z]+\/|\/(tmp|root|home|work)\/|\.(ts|mjs|js):\d+|SQLITE_|D1_ERROR|TypeError|RangeError|SyntaxError|ZodError|Cannot read propert|is not a function|is not defined|\[object Object\]|Durable Object|\bworkerd\b/;

export interface Secrets {
  /** Texts that no answer may hold. */
  never: readonly string[];
  /** `canary-<lane>-…` stands in the documents of each lane. */
  lane: number;
}

export function fault(input: Input, answer: Answer | NoAnswer, secrets: Secrets): string | null {
  if (answer.missing !== null) {
    if (answer.missing === "left" || (answer.missing === "closed" && input.malformed)) return null;
    return `no answer: ${answer.missing} ${answer.detail}`;
  }
  return leak(input, answer, secrets) ?? (ofRuntime(input, answer) ? null : wrongForm(input, answer));
}

function leak(input: Input, { text, headers }: Answer, { never, lane }: Secrets): string | null {
  const all = `${[...headers].flat().join("\n")}\n${text}`;
  const secret = never.find((each) => all.includes(each));
  if (secret) return `the answer holds a secret: ${secret.slice(0, 12)}…`;
  for (const [, of] of all.matchAll(/canary-(\d+)-/g)) {
    if (Number(of) !== lane) return `the answer holds a document of lane ${of}`;
  }
  const inside = INSIDE.exec(text);
  // What was sent may come back; what the server says of itself may not.
  const sent = `${input.target}\n${input.headers.join("\n")}\n${input.body?.toString("utf8") ?? ""}`;
  return inside && !sent.includes(inside[0].trim())
    ? `the answer tells of the inside: ${around(text, inside.index)}`
    : null;
}

const around = (text: string, at: number): string => JSON.stringify(text.slice(Math.max(0, at - 60), at + 120));

/**
 * The runtime answers by itself what is no HTTP, and what follows a request that lies about its length. To CONNECT it says
 * 500, whichever Worker it runs: none can take it.
 */
const ofRuntime = ({ malformed, method }: Input, { status, headers, text }: Answer): boolean =>
  malformed &&
  !headers.has("x-request-id") &&
  (RUNTIME.has(status) || (method === "CONNECT" && status === 500 && text === "Internal Server Error"));
const RUNTIME: ReadonlySet<number> = new Set([400, 414, 431, 501, 505]);

function wrongForm(input: Input, answer: Answer): string | null {
  const { status, headers, text } = answer;
  const type = headers.get("content-type") ?? "";
  if (status === 101) return null;
  if (status >= 300 && status < 400) return input.surface === "page" ? null : `a redirect: ${status}`;
  if (/json/.test(type) && input.method !== "HEAD" && parsed(text) === undefined)
    return `this is no JSON: ${text.slice(0, 200)}`;
  if (/event-stream/.test(type) && messagesOf(answer) === null)
    return `this is no event stream of JSON: ${text.slice(0, 300)}`;
  // No body says what failed.
  if (input.method === "HEAD" || input.method === "OPTIONS") return status >= 500 ? `status ${status}` : null;
  if (input.surface === "page")
    return status >= 500 && status !== 503 ? `status ${status}: ${text.slice(0, 300)}` : null;
  // Whom a broken head asked is not known.
  if (input.malformed) return status >= 400 ? refused(input, answer) : null;
  if (!headers.has("x-request-id") && input.method !== "OPTIONS") return "there is no X-Request-Id";
  return rpcFault(input, answer) ?? refused(input, answer);
}

function refused(input: Input, answer: Answer): string | null {
  const refusal = refusalOf(input.malformed ? "mcp" : input.surface, answer);
  if (!refusal && answer.status < 400) return null;
  if (!refusal) return `status ${answer.status} without an error of the catalogue: ${answer.text.slice(0, 300)}`;
  return UNEXPECTED.has(refusal.code) ? `${refusal.code}: ${answer.text.slice(0, 500)}` : null;
}

/** What no input may bring about while every store is well. */
export const UNEXPECTED: ReadonlySet<string> = new Set([
  "internal",
  "unavailable",
  "deadline_exceeded",
  "client_closed",
]);

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
