import type { IncomingHttpHeaders } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type TlsSite, tlsSite } from "../oauth/tls_site.ts";
import { startWaypost } from "./harness.ts";

/** A provider over TLS whose certificate only NODE_EXTRA_CA_CERTS vouches for. */

const ANSWER = {
  id: "c",
  object: "chat.completion",
  created: 1,
  model: "m",
  choices: [{ index: 0, message: { role: "assistant", content: "At nine." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};

let provider: TlsSite;
const asked: IncomingHttpHeaders[] = [];

beforeAll(async () => {
  provider = await tlsSite((request, response) => {
    asked.push(request.headers);
    request.resume().on("end", () => {
      response.setHeader("content-type", "application/json").end(JSON.stringify(ANSWER));
    });
  });
});
afterAll(() => provider?.close());

it("is asked by the server itself, with its headers and no others", async () => {
  const { status, body } = await answerOf({ NODE_EXTRA_CA_CERTS: provider.authority });
  expect([status, body.text]).toEqual([200, "At nine."]);
  const [headers] = asked;
  expect(Object.keys(headers ?? {}).sort()).toEqual(["authorization", "content-length", "content-type", "host"]);
  expect(headers?.authorization).toBe("Bearer sk-own");
});

it("is not believed when nothing vouches for it", async () => {
  asked.length = 0;
  const { status, body } = await answerOf({});
  expect([status, body.code]).toEqual([502, "provider_unreachable"]);
  expect(asked).toEqual([]);
});

/** What a Waypost with such an environment answers. */
async function answerOf(env: Record<string, string>): Promise<{ status: number; body: Record<string, unknown> }> {
  const own = { id: "own", base_url: `${provider.origin}/v1`, api_key: "sk-own", models: [{ name: "m" }] };
  const vars = {
    MODEL_PROVIDERS: JSON.stringify([own]),
    MODEL_PRICES: JSON.stringify({ "own/m": { input: "3", output: "15" } }),
  };
  const waypost = await startWaypost({ vars, env });
  try {
    const response = await fetch(`${waypost.url}/v1/chat`, {
      method: "POST",
      headers: { authorization: `Bearer ${waypost.apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({ message: "When is high water?", model: "own/m", max_tokens: 10 }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  } finally {
    await waypost.stop();
  }
}
