import { errorCatalogue } from "../../src/errors.ts";
import type { Answer } from "./connection.ts";
import type { Surface } from "./input.ts";

/** How an answer says no, whichever door it came through. */
export interface Refusal {
  /** The catalogue's code, or for a dialect the one its clients know. */
  code: string;
}

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const known = (code: unknown): string | null =>
  typeof code === "string" && Object.hasOwn(errorCatalogue, code) ? code : null;

/** Codes that clients of OpenAI look for in place of ours. */
const OPENAI = new Set([
  "invalid_api_key",
  "insufficient_quota",
  "rate_limit_exceeded",
  "model_not_found",
  "context_length_exceeded",
  "insufficient_permissions",
]);

/** The JSON values of an answer: of its body, or of each event. Null when an event is none. */
export function messagesOf({
  headers,
  text,
  leftOpen,
}: Pick<Answer, "headers" | "text" | "leftOpen">): unknown[] | null {
  const isStream = /event-stream/.test(headers.get("content-type") ?? "");
  const pieces = isStream ? [...text.matchAll(/^data: ?(.*)$/gm)].map(([, data]) => data as string) : [text];
  // The last event of a stream that this side closed may be half there.
  if (isStream && leftOpen && !text.endsWith("\n")) pieces.pop();
  try {
    return pieces.filter((piece) => piece.trim() !== "" && piece !== "[DONE]").map((piece) => JSON.parse(piece));
  } catch {
    return isStream ? null : [];
  }
}

/** The refusal an answer carries, by status or inside a 200; null when there is none, or none that a client understands. */
export function refusalOf(surface: Surface, answer: Answer): Refusal | null {
  const messages = (messagesOf(answer) ?? []).filter(isObject);
  for (const message of messages) {
    const code = surface === "mcp" ? ofRpc(message) : null;
    const found = code ?? ofProblem(message) ?? ofDialect(message);
    if (found) return { code: found };
  }
  return null;
}

function ofRpc({ error, result }: Json): string | null {
  if (isObject(error)) return isObject(error.data) ? known(error.data.code) : null;
  if (!isObject(result) || result.isError !== true) return null;
  const { _meta: meta } = result;
  const problem = isObject(meta) ? meta["waypost/problem"] : undefined;
  return isObject(problem) ? known(problem.code) : null;
}

const ofProblem = ({ code, type, next, retry }: Json): string | null =>
  typeof type === "string" && typeof next === "string" && typeof retry === "string" ? known(code) : null;

function ofDialect({ error }: Json): string | null {
  if (!isObject(error) || typeof error.message !== "string" || typeof error.type !== "string") return null;
  return known(error.code) ?? (OPENAI.has(error.code as string) ? (error.code as string) : null);
}
