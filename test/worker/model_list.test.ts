import { env, SELF } from "cloudflare:test";
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import type { Env } from "../../src/env.ts";
import { usdPerMillion } from "../../src/tools/models_output.ts";
import { account, ORIGIN } from "./client.ts";

Object.assign(env as unknown as Env, {
  OPENAI_API_KEY: "sk-list",
  ANTHROPIC_API_KEY: "sk-list",
  AZURE_OPENAI_API_KEY: "sk-list",
  AZURE_OPENAI_RESOURCE: "ours",
  AZURE_OPENAI_DEPLOYMENTS: JSON.stringify({
    mini: "gpt-4o-mini",
    thinker: "o3",
    vectors: "text-embedding-3-small",
  }),
  MODEL_PROVIDERS: JSON.stringify([
    {
      id: "lab",
      base_url: "http://127.0.0.1:9/v1",
      models: [{ name: "org/qwen3", context: 32_000, max_output: 2048 }],
    },
  ]),
  MARKUPS: JSON.stringify({ plans: { pro: { cloud: "1.00" } } }),
});

interface Listed {
  id: string;
  context: number;
  max_output: number;
  abilities: string[];
  price: Record<string, string>;
  available: boolean;
  why?: string;
}

interface List {
  object: string;
  data: Listed[];
  has_more: boolean;
  first_id: string | null;
  last_id: string | null;
  unavailable: { provider: string; why: string }[];
}

const { key } = await account();
const get = async <T>(path: string, bearer = key) => {
  const response = await SELF.fetch(`${ORIGIN}/v1${path}`, { headers: { Authorization: `Bearer ${bearer}` } });
  return { status: response.status, body: (await response.json()) as T };
};
const { body: list } = await get<List>("/models");
const named = (id: string) => list.data.find((model) => model.id === id);

describe("GET /v1/models", () => {
  test("says of each model what it can, what it costs this account, and that it can be had", () => {
    expect(named("openai/gpt-4o-mini")).toMatchObject({
      context: 128_000,
      max_output: 16_384,
      abilities: ["chat", "vision", "tools", "json"],
      price: { input: "0.1545", output: "0.618", cache_read: "0.07725" },
      available: true,
    });
    expect(named("anthropic/claude-sonnet-4-5")).toMatchObject({
      max_output: 64_000,
      abilities: ["chat", "vision", "tools", "json", "reasoning"],
      price: { input: "3.09", cache_write: "3.8625", cache_write_1h: "6.18" },
    });
    expect(named("azure/mini")?.price.input).toBe("0.1545");
    expect(named("azure/mini")?.abilities).toEqual(["chat", "vision", "tools", "json"]);
    expect(named("azure/thinker")?.abilities).toEqual(["chat", "vision", "tools", "json", "reasoning"]);
    expect(named("azure/vectors")).toMatchObject({
      abilities: ["embeddings"],
      max_output: 0,
      price: { input: "0.0206" },
    });
    expect(named("openai/text-embedding-3-large")?.abilities).toEqual(["embeddings"]);
    expect(named("lab/org/qwen3")).toMatchObject({
      context: 32_000,
      max_output: 2048,
      price: { input: "0", output: "0" },
    });
    expect(named("local/extractive")).toMatchObject({ abilities: ["chat"], available: true });
    expect(new Set(list.data.map(({ id }) => id)).size).toBe(list.data.length);
  });

  test("says what is not offered, and why", () => {
    const why = Object.fromEntries(list.unavailable.map((each) => [each.provider, each.why]));
    expect(why).toMatchObject({
      ollama: "OLLAMA_HOST is not set",
      "workers-ai": expect.stringContaining("AI binding"),
    });
    expect(why).not.toHaveProperty("openai");
  });

  test("prices are those of the caller's plan", async () => {
    const pro = await account("pro");
    const { body } = await get<List>("/models?provider=openai", pro.key);
    expect(body.data.find(({ id }) => id === "openai/gpt-4o-mini")?.price.input).toBe("0.15");
    expect(body.data.every(({ id }) => id.startsWith("openai/"))).toBe(true);
  });

  test("filters by ability and pages either way", async () => {
    const { body } = await get<List>("/models?ability=embeddings");
    expect(body.data.map(({ id }) => id).sort()).toEqual([
      "azure/vectors",
      "openai/text-embedding-3-large",
      "openai/text-embedding-3-small",
      "openai/text-embedding-ada-002",
    ]);
    const first = (await get<List>("/models?limit=5")).body;
    expect([first.data.length, first.has_more, first.last_id]).toEqual([5, true, list.data[4]?.id]);
    const after = (await get<List>(`/models?limit=5&after_id=${encodeURIComponent(first.last_id ?? "")}`)).body;
    expect(after.first_id).toBe(list.data[5]?.id);
    const before = (await get<List>(`/models?limit=5&before_id=${encodeURIComponent(after.first_id ?? "")}`)).body;
    expect(before.data).toEqual(first.data);
    expect((await get("/models?after_id=nobody%2Fnone")).status).toBe(400);
    expect((await get("/models?limit=0")).status).toBe(400);
  });
});

describe("GET /v1/models/{model}", () => {
  test.each(["openai/gpt-4o-mini", "openai%2Fgpt-4o-mini", "gpt-4o-mini", "lab/org/qwen3", "azure/vectors"])(
    "%s",
    async (path) => {
      const { status, body } = await get<Listed>(`/models/${path}`);
      expect(status).toBe(200);
      const id = path === "gpt-4o-mini" ? "openai/gpt-4o-mini" : decodeURIComponent(path);
      expect(body).toEqual(named(id));
    },
  );

  test("one that is offered by name only", async () => {
    const { body } = await get<Listed>("/models/gpt-4o-2024-08-06");
    expect(body.id).toBe("openai/gpt-4o-2024-08-06");
  });

  test.each(["nobody/none", "openai/gpt-99", "azure/gpt-4o", "%00"])("%s is not there", async (path) => {
    const { status, body } = await get<{ code: string }>(`/models/${path}`);
    expect([status, body.code]).toEqual([404, "not_found"]);
  });
});

describe("official clients", () => {
  const fetch = (input: RequestInfo | URL, init?: RequestInit) => SELF.fetch(new Request(input, init));

  test("openai lists and retrieves", async () => {
    const client = new OpenAI({ apiKey: key, baseURL: `${ORIGIN}/v1`, fetch });
    const page = await client.models.list();
    expect(page.data.map(({ id }) => id)).toEqual(list.data.map(({ id }) => id));
    const model = await client.models.retrieve("openai/gpt-4o-mini");
    expect(model).toMatchObject({ id: "openai/gpt-4o-mini", object: "model", owned_by: "openai" });
    expect(Number.isInteger(model.created)).toBe(true);
    await expect(client.models.retrieve("nobody/none")).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  test("can read what they are refused, which stays a problem document", async () => {
    const openai = new OpenAI({ apiKey: key, baseURL: `${ORIGIN}/v1`, fetch, maxRetries: 0 });
    const refused = (answer: Promise<unknown>) =>
      answer.then(
        () => Promise.reject(new Error("it went well")),
        (error: InstanceType<typeof OpenAI.APIError>) => error,
      );
    const missing = await refused(openai.models.retrieve("nobody/none"));
    expect([missing.code, missing.type]).toEqual(["not_found", "invalid_request_error"]);
    expect(missing.message).toBe(
      "404 not_found: No model of this name is offered here. GET /v1/models lists those that are.",
    );
    expect((await refused(openai.get("/models?limit=0"))).message).toMatch(/^400 invalid_input: .*limit/);
    const stranger = new OpenAI({ apiKey: "sk-nobody", baseURL: `${ORIGIN}/v1`, fetch, maxRetries: 0 });
    const unknown = await refused(stranger.models.list());
    expect(unknown).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(unknown.message).toMatch(/^401 unauthenticated: /);
    expect((await refused(openai.post("/models", { body: {} }))).message).toMatch(/^405 method_not_allowed: .*GET/);
    expect((await refused(openai.images.generate({ prompt: "a" }))).message).toMatch(
      /^404 unknown_route: There is nothing at this path\. /,
    );
    const anthropic = new Anthropic({ authToken: key, apiKey: null, baseURL: ORIGIN, fetch, maxRetries: 0 });
    await expect(anthropic.models.retrieve("nobody/none")).rejects.toMatchObject({
      error: { error: { message: expect.stringMatching(/^not_found: No model/) } },
    });

    const response = await SELF.fetch(`${ORIGIN}/v1/models/nobody/none`, {
      headers: { Authorization: `Bearer ${key}` },
    });
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({
      type: "/errors/not_found",
      status: 404,
      code: "not_found",
      next: "GET /v1/models lists those that are.",
      error: { message: expect.any(String), type: "invalid_request_error", code: "not_found" },
    });
  });

  test("anthropic lists every page and retrieves", async () => {
    const client = new Anthropic({ authToken: key, apiKey: null, baseURL: ORIGIN, fetch });
    const ids: string[] = [];
    for await (const model of client.models.list({ limit: 20 })) ids.push(model.id);
    expect(ids).toEqual(list.data.map(({ id }) => id));
    const model = await client.models.retrieve("anthropic/claude-sonnet-4-5");
    expect(model).toMatchObject({ type: "model", display_name: "claude-sonnet-4-5" });
    expect(Number.isNaN(Date.parse(model.created_at))).toBe(false);
  });
});

test("other routes answer a problem document alone", async () => {
  for (const path of ["/sessions/none/live", "/usage/calls/none", "/templates/none"]) {
    const { status, body } = await get<object>(path);
    expect([path, status >= 400]).toEqual([path, true]);
    expect(body).not.toHaveProperty("error");
  }
});

describe("a model that is not offered", () => {
  const asked = async (path: string, body: object) => {
    const response = await SELF.fetch(`${ORIGIN}/v1${path}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const { error, detail, next } = (await response.json()) as Record<string, never> & { error?: { message: string } };
    return error?.message ?? `${detail} ${next}`;
  };
  const messages = [{ role: "user", content: "a" }];

  test.each(["/chat/completions", "/messages"])(
    "%s: the embedded model is not advised to who cannot have it",
    async (path) => {
      const told = await asked(path, { model: "local/extractive", messages, max_tokens: 9 });
      expect(told).toMatch(/^model_unknown: local\/extractive is only offered by the chat tool, POST \/v1\/chat\. /);
      expect(told.match(/local\/extractive/g)).toHaveLength(1);
      expect(told).toContain("Offered here: openai/");
      expect(await asked(path, { model: "nobody/none", messages, max_tokens: 9 })).toMatch(
        /"nobody\/none" is not offered here\. Offered: auto, local\/extractive, openai\/[^;]*, lab\/org\/qwen3; local\/extractive by the chat tool only\. /,
      );
    },
  );

  test("embeddings: what is offered is what makes them", async () => {
    for (const model of ["auto", "nobody/none"]) {
      const told = await asked("/embeddings", { model, input: "a" });
      expect(told).toContain(`"${model}" is not offered here for embeddings. Offered: openai/text-embedding-`);
      expect(told).toContain("azure/vectors");
      expect(told).not.toMatch(/Offered: .*auto|local\/extractive|qwen3|gpt/);
    }
  });
});

test.each([
  [150_000, 10_300, "0.1545"],
  [0, 10_300, "0"],
  [1, 10_000, "0.000001"],
  [3_000_000, 10_000, "3"],
  [1, 1, "0.0000000001"],
  [100_000_000, 10_000, "100"],
])("%i pico-USD a token at %i is %s USD a million", (pico, bps, usd) => {
  expect(usdPerMillion(pico, bps)).toBe(usd);
});
