import { randomUUID } from "node:crypto";

/**
 * What the bridge must know of the messages that pass it.
 *
 * @typedef {import("@modelcontextprotocol/client").JSONRPCRequest} Request
 * @typedef {import("@modelcontextprotocol/client").JSONRPCNotification} Notification
 * @typedef {import("@modelcontextprotocol/client").JSONRPCMessage} Message
 */

const ENVELOPE = "io.modelcontextprotocol/protocolVersion";
const CLIENT = "io.modelcontextprotocol/clientInfo";
const IDEMPOTENCY_KEY = "waypost/idempotency-key";

/** @param {Request} request Whether it is of the era in which each request says its version and stands for itself. */
export const standsAlone = (request) => typeof request.params?._meta?.[ENVELOPE] === "string";

/** @param {Message} message */
export const isInitialize = (message) => "method" in message && message.method === "initialize";

/** @param {Message} message */
export const isInitialized = (message) => "method" in message && message.method === "notifications/initialized";

/** @param {Request} request Whether its answer comes only when the client wants no more of it. */
export const staysOpen = (request) => request.method === "subscriptions/listen";

/**
 * @param {Notification} message
 * @returns {string | number | undefined} the request that it cancels
 */
export function cancelledId(message) {
  if (message.method !== "notifications/cancelled") return undefined;
  const id = message.params?.requestId;
  return typeof id === "string" || typeof id === "number" ? id : undefined;
}

/**
 * A call that changes something, made safe to repeat after a cut: the server runs and charges one key once.
 *
 * @param {Request} request
 * @param {ReadonlySet<unknown>} readOnly tools that change nothing
 * @returns {Request}
 */
export function repeatable(request, readOnly) {
  const { params } = request;
  if (request.method !== "tools/call" || !params || readOnly.has(params.name)) return request;
  if (params._meta?.[IDEMPOTENCY_KEY] !== undefined) return request;
  return { ...request, params: { ...params, _meta: { ...params._meta, [IDEMPOTENCY_KEY]: randomUUID() } } };
}

/**
 * @param {unknown} result of `tools/list`
 * @returns {unknown[]} names of the tools it says change nothing
 */
export function readOnlyTools(result) {
  const tools = /** @type {{ tools?: unknown }} */ (result)?.tools;
  if (!Array.isArray(tools)) return [];
  return tools.filter((tool) => tool?.annotations?.readOnlyHint === true).map((tool) => tool.name);
}

/**
 * @param {Request} request
 * @returns {string | undefined} the client's name and version, fit for a `User-Agent` header
 */
export function clientNamed(request) {
  const info = /** @type {{ name?: unknown, version?: unknown } | undefined} */ (
    isInitialize(request) ? request.params?.clientInfo : request.params?._meta?.[CLIENT]
  );
  if (typeof info?.name !== "string") return undefined;
  /** @param {unknown} text */
  const token = (text) =>
    String(text)
      .replace(/[^\w.+-]+/g, "-")
      .slice(0, 40);
  return info.version === undefined ? token(info.name) : `${token(info.name)}/${token(info.version)}`;
}
