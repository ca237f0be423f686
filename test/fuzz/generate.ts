import { Dice } from "./dice.ts";
import type { Known } from "./from_schema.ts";
import { disturb, type Own } from "./headers.ts";
import { bytesOf, type Delivery, type Input, promisesMore } from "./input.ts";
import { type Era, message, type Offer } from "./mcp_messages.ts";
import { damaged } from "./mutate.ts";
import { type Operation, restRequest } from "./rest_requests.ts";

/** What inputs are made of: what the server says it offers, and what one caller has. */
export interface Materials {
  offer: Offer;
  operations: readonly Operation[];
  known: Known;
  own: Own;
}

/** The n-th input of a seed. */
export function inputOf(seed: number, n: number, materials: Materials): Input {
  const dice = new Dice(seed, n);
  const input = dice.chance(0.6) ? mcpInput(dice, n, materials) : restInput(dice, n, materials);
  if (dice.chance(0.25)) disturb(input, dice, materials.own);
  if (input.body) frame(input, dice);
  deliver(input, dice);
  return input;
}

const plain = { framing: { kind: "length", lie: 0 }, delivery: { kind: "whole" }, malformed: false } as const;
const ERAS: [number, Era][] = [
  [5, "2026-07-28"],
  [4, "2025-11-25"],
  [1, "2025-06-18"],
  [1, "2025-03-26"],
];

function mcpInput(dice: Dice, n: number, { offer, known, own }: Materials): Input {
  const era = dice.weighted(ERAS);
  const method = dice.chance(0.05) ? dice.pick(["GET", "DELETE", "PUT", "HEAD"]) : "POST";
  const sent = message(dice, offer, known, era);
  const headers: Input["headers"] = [
    ["Host", own.host],
    ["Authorization", `Bearer ${own.key}`],
    ["Accept", "application/json, text/event-stream"],
    ["Mcp-Protocol-Version", era],
  ];
  const { method: rpc, params } = sent as { method?: string; params?: { name?: unknown; uri?: unknown } };
  if (era === "2026-07-28" && rpc !== undefined) {
    headers.push(["Mcp-Method", rpc]);
    const name = params?.name ?? params?.uri;
    if (typeof name === "string") headers.push(["Mcp-Name", name]);
  } else if (own.sessions.length > 0 && rpc !== "initialize" && dice.chance(0.5)) {
    headers.push(["Mcp-Session-Id", dice.pick(own.sessions)]);
  }
  const body = method === "POST" || method === "PUT" ? damaged(sent, dice) : null;
  if (body) headers.push(["Content-Type", "application/json"]);
  const target = dice.chance(0.05)
    ? dice.pick(["/mcp?tools=search", "/mcp?tools=", "/mcp?%ff", "/mcp?tools=chat,none"])
    : "/mcp";
  const mayStayOpen = method === "GET" || (body?.includes("subscriptions/listen") ?? false);
  return { n, surface: "mcp", method, target, headers, body, mayStayOpen, ...plain };
}

function restInput(dice: Dice, n: number, { operations, known, own }: Materials): Input {
  const { surface, method, target, body } = restRequest(dice, operations, known);
  const headers: Input["headers"] = [
    ["Host", own.host],
    surface === "anthropic" ? ["X-Api-Key", own.key] : ["Authorization", `Bearer ${own.key}`],
    ["Accept", dice.pick(["application/json", "*/*", "text/event-stream", "text/csv"])],
  ];
  const bytes = body === undefined || method === "GET" ? null : damaged(body, dice);
  if (bytes) headers.push(["Content-Type", "application/json"]);
  if (dice.chance(0.1)) headers.push(["Idempotency-Key", dice.pick(["k1", "k2", `k${dice.int(1e9)}`])]);
  return { n, surface, method, target, headers, body: bytes, mayStayOpen: false, ...plain };
}

function frame(input: Input, dice: Dice): void {
  if (dice.chance(0.15)) {
    const sizes = dice.pick([[1], [3, 50], [1_000_000], [16, 1, 4_096]]);
    // One byte at a time is only worth it for what is short.
    const small = (input.body?.length ?? 0) < 2_000;
    input.framing = { kind: "chunked", sizes: small ? sizes : [4_096], extra: dice.pick(["", "", ";a=b", ";q"]) };
  } else if (dice.chance(0.02)) {
    input.framing = { kind: "length", lie: dice.pick([-1, -10, 1, 1_000, 20_000_000]) };
    input.malformed = true;
  }
}

function deliver(input: Input, dice: Dice): void {
  // A server waits for what was announced: the client goes, as those do that never send it.
  if (promisesMore(input)) {
    input.delivery = { kind: "cut", at: bytesOf(input).length, waitMs: 30 };
    return;
  }
  if (!dice.chance(0.08)) return;
  const { length } = bytesOf(input);
  input.delivery = dice.weighted<() => Delivery>([
    [
      3,
      () => ({
        kind: "pieces",
        at: [dice.int(length), dice.int(length), dice.int(length)].sort((a, b) => a - b),
        gapMs: dice.pick([0, 2, 15, 60]),
      }),
    ],
    [2, () => ({ kind: "cut", at: dice.int(length), waitMs: dice.pick([0, 1, 10]) })],
    [1, () => ({ kind: "cut", at: length, waitMs: dice.pick([0, 1, 5]) })],
  ])();
}
