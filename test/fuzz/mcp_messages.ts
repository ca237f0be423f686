import type { Dice } from "./dice.ts";
import { fitting, type Known, type Schema } from "./from_schema.ts";

/** What the server offers over MCP, as its own lists say. */
export interface Offer {
  tools: { name: string; inputSchema: Schema }[];
  prompts: { name: string; arguments?: { name: string }[] }[];
  uris: string[];
}

export type Era = "2026-07-28" | "2025-11-25" | "2025-06-18" | "2025-03-26";

interface Message {
  method: string;
  params?: Record<string, unknown>;
  /** A notification has none. */
  id?: unknown;
  jsonrpc: string;
}

const IDS = [1, 0, 7, "a", "1", -1, 9_007_199_254_740_991, "é".repeat(40)];
const CAPABILITIES = [{}, { elicitation: {} }, { sampling: {}, roots: { listChanged: true } }, { tasks: { list: {} } }];

/** A message as a well-behaved client sends it; a response, or a batch, now and then. */
export function message(dice: Dice, offer: Offer, known: Known, era: Era): unknown {
  const kind = dice.int(40);
  if (kind === 0) return { jsonrpc: "2.0", id: dice.pick(IDS), result: {} };
  if (kind === 1) return { jsonrpc: "2.0", id: dice.pick(IDS), error: { code: -32000, message: "no" } };
  if (kind === 2) return [request(dice, offer, known, era), request(dice, offer, known, era)];
  return request(dice, offer, known, era);
}

function request(dice: Dice, offer: Offer, known: Known, era: Era): Message {
  const { method, params } = dice.weighted(METHODS)(dice, offer, known);
  const meta = era === "2026-07-28" ? modernMeta(dice) : {};
  const token = dice.chance(0.08) ? { progressToken: dice.pick([1, "p"]) } : {};
  const key = dice.chance(0.05) ? { "waypost/idempotency-key": dice.pick(["k1", "k2", `k${dice.int(1e9)}`]) } : {};
  const all = { ...meta, ...token, ...key };
  return {
    jsonrpc: "2.0",
    ...(method.startsWith("notifications/") ? {} : { id: dice.pick(IDS) }),
    method,
    params: { ...params, ...(Object.keys(all).length > 0 ? { _meta: all } : {}) },
  };
}

const modernMeta = (dice: Dice) => ({
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "fuzz", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": dice.pick(CAPABILITIES),
});

type Made = { method: string; params: Record<string, unknown> };
type Maker = (dice: Dice, offer: Offer, known: Known) => Made;

const plain =
  (method: string, params: Record<string, unknown> = {}): Maker =>
  () => ({ method, params });

const callTool: Maker = (dice, { tools }, known) => {
  const { name, inputSchema } = dice.pick(tools);
  return { method: "tools/call", params: { name, arguments: fitting(inputSchema, dice, known) } };
};

const readResource =
  (method: string): Maker =>
  (dice, { uris }) => ({ method, params: { uri: dice.pick([...uris, ...STRANGE_URIS]) } });

const getPrompt: Maker = (dice, { prompts }, known) => {
  const prompt = prompts.length > 0 ? dice.pick(prompts) : { name: "none" };
  const args = (prompt.arguments ?? []).map(({ name }) => [
    name,
    String(fitting({ type: "string" }, dice, known, name)),
  ]);
  return { method: "prompts/get", params: { name: prompt.name, arguments: Object.fromEntries(args) } };
};

const complete: Maker = (dice, { prompts, uris }) => ({
  method: "completion/complete",
  params: {
    ref: dice.chance(0.5)
      ? { type: "ref/prompt", name: prompts[0]?.name ?? "none" }
      : { type: "ref/resource", uri: dice.pick([...uris, "waypost://documents/{id}"]) },
    argument: { name: dice.pick(["id", "month", "name"]), value: dice.pick(["", "2026", "d", "%"]) },
    ...(dice.chance(0.3) ? { context: { arguments: { id: "x" } } } : {}),
  },
});

const initialize: Maker = (dice) => ({
  method: "initialize",
  params: {
    protocolVersion: dice.pick(["2025-11-25", "2025-06-18", "2024-11-05", "1999-01-01", "2026-07-28"]),
    capabilities: dice.pick(CAPABILITIES),
    clientInfo: { name: "fuzz", version: "1" },
  },
});

const cursorOf =
  (method: string): Maker =>
  (dice) => ({ method, params: dice.chance(0.5) ? {} : { cursor: dice.pick(["", "MQ", "0", "eyJhIjoxfQ"]) } });

const STRANGE_URIS = [
  "waypost://documents/none",
  "waypost://usage/2026-13",
  "waypost://sessions/..%2f..",
  "file:///etc/hostname",
  "http://127.0.0.1/",
  "waypost://",
  "ui://waypost/usage",
];

const listen: Maker = (dice, { uris }) => ({
  method: "subscriptions/listen",
  params: {
    notifications: dice.pick([
      {},
      { toolsListChanged: true },
      { resourceSubscriptions: uris.slice(0, 2) },
      { resourceSubscriptions: ["waypost://models"], promptsListChanged: true },
    ]),
  },
});

const METHODS: [weight: number, maker: Maker][] = [
  [30, callTool],
  [4, cursorOf("tools/list")],
  [3, cursorOf("resources/list")],
  [2, cursorOf("resources/templates/list")],
  [2, cursorOf("prompts/list")],
  [5, readResource("resources/read")],
  [2, readResource("resources/subscribe")],
  [1, readResource("resources/unsubscribe")],
  [4, getPrompt],
  [3, complete],
  [4, initialize],
  [2, plain("server/discover")],
  [2, plain("ping")],
  [2, listen],
  [1, plain("logging/setLevel", { level: "debug" })],
  [1, plain("notifications/initialized")],
  [1, plain("notifications/roots/list_changed")],
  [2, (dice) => ({ method: "notifications/cancelled", params: { requestId: dice.pick(IDS), reason: "x" } })],
  [1, plain("notifications/progress", { progressToken: 1, progress: 1 })],
  [1, plain("tasks/get", { taskId: "t" })],
  [1, plain("tasks/list")],
  [1, plain("elicitation/create", { message: "?", requestedSchema: { type: "object", properties: {} } })],
  [1, plain("sampling/createMessage", { messages: [], maxTokens: 1 })],
  [1, plain("Tools/Call", { name: "search", arguments: { query: "tea" } })],
  [1, plain("__proto__")],
];
