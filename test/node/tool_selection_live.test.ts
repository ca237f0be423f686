import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ask, judge } from "../../bench/tool_selection/live.ts";
import type { ToolRequest } from "../../bench/tool_selection/requests.ts";
import { agentTools } from "../../src/tools/registry.ts";

/** The runner against a stand-in that speaks the completions endpoint's format over a socket. */

const request: ToolRequest = { says: "Find tides", tool: "search", or: ["chat"], args: { query: /tides/ } };
let server: Server;
let url: string;
let status = 200;
let message: unknown;
// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever was sent
let sent: any;

beforeAll(async () => {
  server = createServer(async (incoming, answer) => {
    let body = "";
    for await (const part of incoming) body += part;
    sent = { path: incoming.url, key: incoming.headers.authorization, ...JSON.parse(body) };
    answer.writeHead(status, { "Content-Type": "application/json" });
    answer.end(JSON.stringify({ choices: [{ message }], usage: { prompt_tokens: 7, completion_tokens: 3 } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

const calls = (name: string, args: unknown) => ({
  tool_calls: [
    {
      id: "1",
      type: "function",
      function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args) },
    },
  ],
});
const asked = () => ask({ url, key: "wp_k", model: "m" }, request);

it("sends every tool with its schema, and judges the call that comes back", async () => {
  message = calls("search", { query: "tides" });
  expect(await asked()).toMatchObject({ called: "search", rightTool: true, rightArguments: true, tokens: 10 });
  expect(sent).toMatchObject({ path: "/v1/chat/completions", key: "Bearer wp_k", model: "m" });
  expect(sent.messages.at(-1)).toEqual({ role: "user", content: "Find tides" });
  expect(sent.tools.map((tool: { function: { name: string } }) => tool.function.name)).toEqual(
    agentTools.map(({ name }) => name),
  );
  expect(sent.tools[0].function.parameters.type).toBe("object");
});

it.each([
  ["another tool", calls("usage", {}), false, false],
  ["no tool", { content: "I do not know." }, false, false],
  ["other words", calls("search", { query: "boats" }), true, false],
  ["a field there is not", calls("search", { query: "tides", colour: "red" }), true, false],
  ["what is no JSON", calls("search", "{"), true, false],
  ["a tool that serves as well", calls("chat", { message: "anything" }), true, true],
] as const)("tells %s", async (_, says, rightTool, rightArguments) => {
  message = says;
  expect(await asked()).toMatchObject({ rightTool, rightArguments });
});

it("where no tool is needed, none is right and any is wrong", () => {
  const none: ToolRequest = { says: "Thanks!", tool: null };
  expect(judge(none, null)).toMatchObject({ rightTool: true, rightArguments: true });
  expect(judge(none, { name: "search", arguments: "{}" })).toMatchObject({ rightTool: false, rightArguments: false });
});

it("fails when the endpoint refuses, and does not count that as an answer", async () => {
  status = 402;
  await expect(asked()).rejects.toThrow(/402/);
  status = 200;
});
