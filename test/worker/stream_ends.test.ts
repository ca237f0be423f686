import { expect, it } from "vitest";
import { account, rest } from "./client.ts";
import { configureModels } from "./provider.ts";

configureModels();

/** A stream that says why it ended, and then ends without its last word and a report: whole everywhere, billed by estimate. */

const said = { messages: [{ role: "user", content: "one two three" }], max_tokens: 50 };

it.each([
  ["/v1/chat/completions", said, '"finish_reason":"stop"'],
  ["/v1/messages", said, '"type":"message_stop"'],
  ["/v1/chat", { message: "one two three" }, '"estimated":true'],
])("over %s", async (path, input, last) => {
  const { key } = await account();
  const reply = await rest(key, "POST", path, { ...input, model: "paid/reason-only", stream: true });
  expect([reply.status, reply.body]).toEqual([200, expect.stringContaining(last)]);
  expect(reply.body).toContain("three");
  expect(reply.body).not.toContain("provider_failed");
  const { recent } = (await rest(key, "GET", "/v1/usage?recent=5")).body;
  const [line] = recent.filter(({ model }: { model: string }) => model === "paid/reason-only");
  expect(line).toMatchObject({ status: "ok", estimated: true });
  expect(line.cost_nano).toBeGreaterThan(0);
});
