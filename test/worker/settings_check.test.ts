import { abortAllDurableObjects, env } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { wrongSettings } from "../../src/api/settings_check.ts";
import type { Env } from "../../src/env.ts";
import { account, rest } from "./client.ts";
import { configureModels } from "./provider.ts";

configureModels();

const settings = env as Partial<Env>;
const TEAM = '{"team":{"minute":1,"hour":1,"day":1,"monthlyTokens":null}}';
const before = { ...settings };
afterEach(async () => {
  settings.PLANS = before.PLANS;
  await abortAllDurableObjects();
});

describe("settings that cannot be read", () => {
  it.each<[Partial<Env>, RegExp]>([
    [{ PLANS: "{" }, /^PLANS must be/],
    [{ PLANS: '{"team":{"minute":0}}' }, /^PLANS must be/],
    [
      { PLANS: '{"team":{"minute":1,"hour":1,"day":1,"monthlyTokens":1,"tools":{"chats":{"minute":1}}}}' },
      /^PLANS: team: tools: there is no tool "chats"/,
    ],
    [{ SIGN_UPS: "yes" }, /^SIGN_UPS must be/],
    [{ OIDC_ISSUERS: "{}" }, /^OIDC_ISSUERS/],
    [{ JWT_ISSUERS: "[{}]" }, /^JWT_ISSUERS/],
    [{ GITHUB_CLIENT_ID: "id" }, /^GITHUB_CLIENT_ID is set/],
    [{ CLERK_ISSUER: "clerk.example" }, /^CLERK_ISSUER/],
    [{ CLERK_WEBHOOK_SECRET: "whsec_" }, /^CLERK_WEBHOOK_SECRET/],
    [{ OAUTH_LIMITS: '{"register_per_hour":0}' }, /^OAUTH_LIMITS/],
    [{ STRIPE_SECRET_KEY: "sk_test_1", STRIPE_API_URL: "stripe" }, /^STRIPE_API_URL/],
    [{ OPENAI_BASE_URL: "models.example" }, /^OPENAI_BASE_URL/],
    [{ AZURE_OPENAI_DEPLOYMENTS: "[]", AZURE_OPENAI_API_KEY: "k", AZURE_OPENAI_RESOURCE: "r" }, /^AZURE_OPENAI_DEPL/],
    [{ MODEL_PROVIDERS: "x" }, /^MODEL_PROVIDERS/],
    [{ MODEL_PRICES: '{"a/b":{"input":"-1","output":"1"}}' }, /^MODEL_PRICES/],
    [{ MARKUPS: '{"cloud":1.03}' }, /^MARKUPS: cloud: /],
    [{ PROVIDER_TIMEOUT_MS: "soon" }, /^PROVIDER_TIMEOUT_MS/],
    [{ DEFAULT_MODEL: "nobody/model" }, /^DEFAULT_MODEL: "nobody\/model" is not offered here/],
    [{ ROUTES: '{"quick":["nobody/model"]}' }, /^ROUTES: quick: "nobody\/model" is not offered here/],
    [{ ROUTES: '{"fast":["local/extractive"]}' }, /^ROUTES/],
    [{ MODERATION: "on" }, /^MODERATION/],
    [{ CACHE_HIT: "10%" }, /^CACHE_HIT/],
    [{ LONG_CALL_MS: "1.5" }, /^LONG_CALL_MS/],
    [{ DRAIN_MS: "-1" }, /^DRAIN_MS/],
    [{ KEEP_ALIVE_MS: "0" }, /^KEEP_ALIVE_MS/],
    [{ CONFIRM: '{"delete":"maybe"}' }, /^CONFIRM/],
    [{ ALLOWED_ORIGINS: "https://app.example, not an origin" }, /^ALLOWED_ORIGINS must hold .* not "not an origin"/],
    [{ ALLOWED_ORIGINS: "https://app.example/" }, /^ALLOWED_ORIGINS must hold/],
    [{ ALLOWED_ORIGINS: "app.example" }, /^ALLOWED_ORIGINS must hold/],
    [{ PRIVATE_CLIENT_HOSTS: "app.internal,https://app.internal" }, /^PRIVATE_CLIENT_HOSTS must hold/],
    [{ PRIVATE_CLIENT_HOSTS: "app.internal/path" }, /^PRIVATE_CLIENT_HOSTS must hold/],
    [{ AI_GATEWAY_URL: "gateway" }, /^AI_GATEWAY_URL/],
    [{ AI_GATEWAY_URL: "https://gateway.example/v1", AI_GATEWAY_TOKEN: "bad\nkey" }, /^AI_GATEWAY_TOKEN has a char/],
    [{ OLLAMA_HOST: "not a host" }, /^OLLAMA_HOST/],
    [{ OPENAI_API_KEY: "bad\nkey" }, /^OPENAI_API_KEY has a character/],
    [{ ANTHROPIC_API_KEY: "schlüssel" }, /^ANTHROPIC_API_KEY has a character/],
    [
      { AZURE_OPENAI_API_KEY: "k\u0000", AZURE_OPENAI_RESOURCE: "r", AZURE_OPENAI_DEPLOYMENTS: '{"d":"gpt-4o"}' },
      /^AZURE_OPENAI_API_KEY has a character/,
    ],
    [{ STRIPE_SECRET_KEY: "sk_test_ü" }, /^STRIPE_SECRET_KEY has a character/],
    [{ MARKUPS: '{"plans":{"prro":{"cloud":"1.1"}}}' }, /^MARKUPS: plans: there is no plan "prro"/],
  ])("%j is named", async (wrong, named) => {
    const faults = await wrongSettings({ ...settings, ...wrong } as Env);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(named);
  });

  it.each<Partial<Env>>([
    { ALLOWED_ORIGINS: "*" },
    { ALLOWED_ORIGINS: " https://app.example , http://localhost:*,http://127.0.0.1:5173,vscode-webview://abc,null," },
    { PRIVATE_CLIENT_HOSTS: "localhost:4000, App.internal,[::1]:80,10.0.0.7" },
    { OLLAMA_HOST: "gpu.lan", OPENAI_API_KEY: "sk-test\n" },
    { MARKUPS: '{"plans":{"pro":{"cloud":"1.1"},"team":{"local":"1"}}}', PLANS: TEAM },
  ])("%j is none of them", async (right) => {
    expect(await wrongSettings({ ...settings, ...right } as Env)).toEqual([]);
  });

  it("are all named at once, and none when there is none", async () => {
    expect(await wrongSettings(settings as Env)).toEqual([]);
    const faults = await wrongSettings({ ...settings, CONFIRM: "?", CACHE_HIT: "?", PLANS: "?" } as Env);
    expect(faults.map((fault) => fault.split(" ")[0]).sort()).toEqual(["CACHE_HIT", "CONFIRM", "PLANS"]);
  });

  it("make the server say that it is not ready", async () => {
    settings.PLANS = "{";
    const { status, body } = await rest(null, "GET", "/ready");
    expect([status, body.status]).toEqual([503, "not_configured"]);
    expect(body.settings).toEqual([expect.stringMatching(/^PLANS must be/)]);
  });

  it.each(["RESUME_GRACE_MS", "LONG_CALL_MS", "KEEP_ALIVE_MS"] as const)(
    "are named by a streamed chat: %s",
    async (name) => {
      const { key } = await account("basic");
      settings[name] = "soon";
      try {
        const answer = await rest(key, "POST", "/v1/chat", { message: "hi", stream: true });
        expect(answer).toMatchObject({
          status: 503,
          body: { code: "not_configured", detail: expect.stringMatching(`^${name} must be`) },
        });
      } finally {
        settings[name] = before[name];
      }
    },
  );

  it("are named by a call of an account whose ledger cannot wake, which goes on when they are put right", async () => {
    const { key } = await account("basic");
    expect((await rest(key, "GET", "/v1/usage")).status).toBe(200);
    settings.PLANS = "{";
    await abortAllDurableObjects();
    // A ledger that was near a moment ago may admit for a second yet.
    const refused = { status: 503, body: { code: "not_configured", detail: expect.stringMatching(/^PLANS must be/) } };
    await vi.waitFor(async () => expect(await rest(key, "GET", "/v1/usage")).toMatchObject(refused), 10_000);
    settings.PLANS = before.PLANS;
    await abortAllDurableObjects();
    expect((await rest(key, "GET", "/v1/usage")).status).toBe(200);
  });
});
