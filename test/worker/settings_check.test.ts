import { abortAllDurableObjects, env } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { wrongSettings } from "../../src/api/settings_check.ts";
import type { Env } from "../../src/env.ts";
import { account, rest } from "./client.ts";
import { configureModels } from "./provider.ts";

configureModels();

const settings = env as Partial<Env>;
const before = { ...settings };
afterEach(async () => {
  settings.PLANS = before.PLANS;
  await abortAllDurableObjects();
});

describe("settings that cannot be read", () => {
  it.each<[Partial<Env>, RegExp]>([
    [{ PLANS: "{" }, /^PLANS must be/],
    [{ PLANS: '{"team":{"minute":0}}' }, /^PLANS must be/],
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
  ])("%j is named", async (wrong, named) => {
    const faults = await wrongSettings({ ...settings, ...wrong } as Env);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(named);
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
