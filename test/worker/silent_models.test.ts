import { beforeAll, expect, it } from "vitest";
import { configureModels } from "./provider.ts";
import { type Caller, furnished, refused, send, sendMcp, toolCall } from "./refusal.ts";

/** Two tries are over before a stream that is silent begins all the same (2 s): with a status of its own. */
configureModels(700);

let who: Caller;
beforeAll(async () => {
  who = await furnished();
});

const input = { message: "one two three four", model: "paid/slow-first-byte", session_id: "kept" };
const doors = {
  REST: () => send("/v1/chat", { key: who.key, body: JSON.stringify(input) }),
  "REST, streamed": () => send("/v1/chat", { key: who.key, body: JSON.stringify({ ...input, stream: true }) }),
  MCP: () => sendMcp(who.key, toolCall("chat", input, true)),
  "MCP of 2025": () => sendMcp(who.key, toolCall("chat", input)),
};

it.each(Object.entries(doors))("a silent provider over %s: nothing stored, nothing charged", async (_, ask) => {
  const { attempts } = await refused(who, ask, "provider_timeout");
  expect(attempts).toHaveLength(2);
});
