import { type InputIssue, WaypostError } from "../errors.ts";
import { toolNamed } from "../tools/registry.ts";

/** What a JSON-RPC message may hold; nothing of it is checked yet. */
interface Message {
  id?: unknown;
  method?: unknown;
  params?: unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The id to answer a message with (JSON-RPC 2.0, section 5): null when it has none that can be repeated. */
export function idOf(message: unknown): string | number | null {
  const id = (message as Message | null)?.id;
  return typeof id === "string" || typeof id === "number" ? id : null;
}

export const methodOf = (message: unknown): unknown => (message as Message | null)?.method;

/** The request that a `notifications/cancelled` is about; undefined for any other message. */
export function cancelledId(message: unknown): unknown {
  if (methodOf(message) !== "notifications/cancelled") return undefined;
  const { params } = message as Message;
  return isObject(params) ? params.requestId : undefined;
}

/** Whether the message calls a tool there is, in proper form: then the admission of that call says who is calling. */
export function callsTool(message: unknown): boolean {
  if (methodOf(message) !== "tools/call" || callIssues(message).length > 0) return false;
  return toolNamed((message as { params: { name: string } }).params.name) !== undefined;
}

/** The scope that the tool which the message calls needs and the caller lacks. */
export function missingScope(message: unknown, scopes: readonly string[]): string | undefined {
  if (!callsTool(message)) return undefined;
  const scope = toolNamed((message as { params: { name: string } }).params.name)?.scope ?? undefined;
  return scope === undefined || scopes.includes(scope) ? undefined : scope;
}

/** Methods the SDK answers by itself. */
const PLAIN = new Set<unknown>([
  "ping",
  "tools/list",
  "subscriptions/listen",
  "notifications/initialized",
  "notifications/cancelled",
]);

/** Whether nothing can be wrong with an answer that is no failure by its status: it needs no look. */
export function isPlain(message: unknown, { headers }: Response): boolean {
  const { method, params }: Message = Object(message);
  if (!PLAIN.has(method)) return false;
  if (method === "tools/list") return !isObject(params) || params.cursor === undefined;
  if (method !== "subscriptions/listen") return true;
  // A refusal ends; the stream of a client that may listen must not be waited for. To a client of 2025 the method is unknown.
  const meta = isObject(params) ? params._meta : undefined;
  const isModern = isObject(meta) && "io.modelcontextprotocol/protocolVersion" in meta;
  return isModern && !/json/.test(headers.get("content-type") ?? "");
}

/** @throws WaypostError `invalid_input` for a batch, and for a tool call that is not of its form */
export function checkMessage(message: unknown): void {
  if (Array.isArray(message)) {
    throw new WaypostError("invalid_input", "JSON-RPC batches are not taken: send one message a request.");
  }
  const issues = methodOf(message) === "tools/call" ? callIssues(message) : [];
  const [first] = issues;
  if (first) throw new WaypostError("invalid_input", `${first.path}: ${first.message}`, { issues });
}

function callIssues(message: unknown): InputIssue[] {
  const { params } = message as Message;
  if (!isObject(params)) return [{ path: "params", message: "Expected an object with `name` and `arguments`." }];
  const issues: InputIssue[] = [];
  if (typeof params.name !== "string") issues.push({ path: "params.name", message: "Expected the name of a tool." });
  if (params.arguments !== undefined && !isObject(params.arguments)) {
    issues.push({ path: "params.arguments", message: "Expected an object with the tool's input." });
  } else if (params.arguments && Object.hasOwn(params.arguments, "__proto__")) {
    // The SDK would drop it without a word.
    issues.push({ path: "params.arguments.__proto__", message: "There is no such field." });
  }
  return issues;
}
