import { beforeAll, expect, it } from "vitest";
import { rest } from "./client.ts";
import { configureModels } from "./provider.ts";
import { type Caller, furnished, refused, send, sendMcp, toolCall } from "./refusal.ts";

/** Two tries are over before a stream that is silent begins all the same (2 s): with a status of its own. */
configureModels(700);

let who: Caller;
beforeAll(async () => {
  who = await furnished();
});

const input = (model: string) => ({ message: "one two three four", model: `paid/${model}`, session_id: "kept" });
const doors = {
  REST: (model: string) => send("/v1/chat", { key: who.key, body: JSON.stringify(input(model)) }),
  "REST, streamed": (model: string) =>
    send("/v1/chat", { key: who.key, body: JSON.stringify({ ...input(model), stream: true }) }),
  MCP: (model: string) => sendMcp(who.key, toolCall("chat", input(model), true)),
  "MCP of 2025": (model: string) => sendMcp(who.key, toolCall("chat", input(model))),
};

it.each(Object.entries(doors))("a silent provider over %s: nothing stored, nothing charged", async (_, ask) => {
  const { attempts } = await refused(who, () => ask("slow-first-byte"), "provider_timeout");
  expect(attempts).toHaveLength(2);
});

it.each(["REST", "MCP", "MCP of 2025"] as const)(
  "one that falls silent over %s: nothing stored, nothing charged, and the record says so",
  async (door) => {
    await refused(who, () => doors[door]("silent-mid-stream"), "provider_timeout");
    const [newest] = (await rest(who.key, "GET", "/v1/usage?recent=2")).body.recent.slice(1);
    expect(newest).toMatchObject({ model: "paid/silent-mid-stream", status: "provider_timeout", cost_nano: 0 });
  },
);
