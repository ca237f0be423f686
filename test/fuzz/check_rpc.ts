import type { Answer } from "./connection.ts";
import type { Input } from "./input.ts";
import { messagesOf, refusalOf } from "./refusal.ts";

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What is wrong with the JSON-RPC of an answer (JSON-RPC 2.0, section 5); null when nothing is. */
export function rpcFault(input: Input, answer: Answer): string | null {
  if (input.surface !== "mcp" || input.method !== "POST" || !answer.headers.get("content-type")) return null;
  const asked = idIn(input.body);
  for (const message of messagesOf(answer) ?? []) {
    if (!isObject(message) || message.jsonrpc !== "2.0") return `this is no JSON-RPC: ${answer.text.slice(0, 300)}`;
    // A request or notification of the server's own.
    if ("method" in message) continue;
    const { id, error, result } = message;
    if ((error === undefined) === (result === undefined))
      return `neither or both of error and result: ${answer.text.slice(0, 300)}`;
    if (id !== null && asked !== undefined && id !== asked)
      return `id ${JSON.stringify(id)} was not asked: ${JSON.stringify(asked)}`;
    if (id === null && error === undefined) return "a result without an id";
    const refuses = error !== undefined || (isObject(result) && result.isError === true);
    if (refuses && !refusalOf("mcp", answer))
      return `an error without a code of the catalogue: ${answer.text.slice(0, 400)}`;
  }
  return null;
}

/** The id of the message that was sent; undefined when there is none that can be repeated. */
function idIn(body: Buffer | null): unknown {
  try {
    const message: unknown = JSON.parse(body?.toString("utf8") ?? "");
    const id = isObject(message) ? message.id : undefined;
    return typeof id === "string" || typeof id === "number" ? id : undefined;
  } catch {
    return undefined;
  }
}
