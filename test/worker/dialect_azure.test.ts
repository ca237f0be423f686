import { env } from "cloudflare:test";
import { expect, inject, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { servedUnder } from "../provider_run.ts";
import { account, rest } from "./client.ts";

/** A deployment's name says nothing of its model: what is sent goes by the model it is of. */

const KEY = "key-of-the-azure-drop-in";
Object.assign(env as unknown as Env, {
  AZURE_OPENAI_API_KEY: KEY,
  AZURE_OPENAI_BASE_URL: inject("upstreamUrl"),
  AZURE_OPENAI_DEPLOYMENTS: JSON.stringify({ "our-o": "o3-mini", "gpt-5-they-say": "gpt-4o-mini" }),
});

it.each([
  ["our-o", "max_completion_tokens", 32_768, "max_tokens"],
  ["gpt-5-they-say", "max_tokens", 4096, "max_completion_tokens"],
])("%s is sent %s of %i", async (deployment, limit, most, other) => {
  const { key } = await account();
  for (const stream of [false, true]) {
    const messages = [{ role: "user", content: "high tide" }];
    const reply = await rest(key, "POST", "/v1/chat/completions", { model: `azure/${deployment}`, messages, stream });
    expect(reply.status).toBe(200);
    const body = (await servedUnder(inject("upstreamUrl"), deployment, `api-key ${KEY}`)).at(-1)?.body;
    expect(body).toMatchObject({ [limit]: most, stream });
    expect(body).not.toHaveProperty(other);
  }
});
