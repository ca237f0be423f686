import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Env } from "../../env.ts";
import { createModels } from "../catalogue.ts";
import type { RouteAsk } from "../types.ts";
import { costOf } from "./tiers.ts";

const none: Partial<Env> = {
  OPENAI_API_KEY: undefined,
  OPENAI_BASE_URL: undefined,
  ANTHROPIC_API_KEY: undefined,
  ANTHROPIC_BASE_URL: undefined,
  OLLAMA_HOST: undefined,
  MODEL_PROVIDERS: undefined,
  MODEL_PRICES: undefined,
  DEFAULT_MODEL: undefined,
  ROUTES: undefined,
};
const openai = { OPENAI_API_KEY: "sk-x" };
const anthropic = { ANTHROPIC_API_KEY: "sk-y" };
const both = { ...openai, ...anthropic };
const local = (...names: string[]) => ({
  MODEL_PROVIDERS: JSON.stringify([
    { id: "mine", base_url: "http://127.0.0.1:1/v1", local: true, models: names.map((name) => ({ name })) },
  ]),
});

const say = (content: string, more: Partial<RouteAsk> = {}): RouteAsk => ({
  messages: [{ role: "user", content }],
  grounded: false,
  ...more,
});
function route(name: string, settings: Partial<Env>, ask = say("hi")) {
  const { models, why } = createModels({ ...(env as unknown as Env), ...none, ...settings }).route(name, ask);
  return { ids: models.map(({ info }) => info.id), models, why };
}
const prefers = (own: string | null, account?: string): Pick<RouteAsk, "preferred"> => ({
  preferred: [
    ...(own === null ? [] : [{ model: own, of: "session" as const }]),
    ...(account === undefined ? [] : [{ model: account, of: "account" as const }]),
  ],
});
const session = (own: string) => prefers(own);
const HARD = "Prove that there are infinitely many primes.";

describe("auto", () => {
  it("takes the tier of the question, and says which and why", () => {
    expect(route("auto", both, say("hi"))).toMatchObject({
      ids: ["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5", "openai/gpt-4.1-mini"],
      why: "auto: quick (a small task)",
    });
    expect(route("auto", both, say(HARD))).toMatchObject({ why: "auto: hard (a proof or several steps)" });
    expect(route("auto", anthropic, say(HARD)).ids[0]).toBe("anthropic/claude-opus-4-5");
  });

  it("judges the last words of the user only", () => {
    const messages = [
      { role: "user" as const, content: HARD },
      { role: "assistant" as const, content: "Let p be prime. ".repeat(50) },
      { role: "user" as const, content: "thanks" },
    ];
    expect(route("auto", both, say("", { messages })).why).toMatch(/^auto: quick/);
  });

  it("takes a tier by name without judging anything", () => {
    expect(route("auto:hard", both, say("hi")).why).toBe("auto: hard (asked for)");
    expect(route("auto:code", openai, say("hi")).ids).toEqual([
      "openai/gpt-4.1",
      "openai/gpt-5.1",
      "openai/gpt-4.1-mini",
    ]);
    expect(() => route("auto:best", both)).toThrow(/model_unknown/);
  });

  it("has a fallback at another provider, none that costs ten times as much", () => {
    for (const tier of ["quick", "general", "code", "hard"]) {
      const { models, ids } = route(`auto:${tier}`, both);
      expect(new Set(models.map(({ info }) => info.provider)).size).toBe(2);
      expect(new Set(ids).size).toBe(ids.length);
      const [first, ...others] = models.map(({ info }) => costOf(info));
      for (const other of others) expect(other).toBeLessThanOrEqual(10 * (first as number));
    }
  });

  it("never goes from a free model to one that costs", () => {
    const settings = { ...both, ...local("tiny-1b"), DEFAULT_MODEL: "mine/tiny-1b" };
    expect(route("auto", settings, say(HARD))).toMatchObject({ ids: ["mine/tiny-1b"], why: "auto: DEFAULT_MODEL" });
  });

  it("ranks models nobody knows by price and size; one made for code is taken for code", () => {
    const settings = local("qwen3:32b", "llama3.2:3b", "qwen2.5-coder:7b", "gemma3:12b");
    const first = (tier: string) => route(`auto:${tier}`, settings).ids[0];
    expect(["quick", "general", "code", "hard"].map(first)).toEqual([
      "mine/llama3.2:3b",
      "mine/qwen2.5-coder:7b",
      "mine/qwen2.5-coder:7b",
      "mine/qwen3:32b",
    ]);
  });

  it("leaves models out that are too small for the prompt, while one is not", () => {
    const providers = [
      { name: "small", context: 2000 },
      { name: "large", context: 200_000 },
    ];
    const settings = {
      MODEL_PROVIDERS: JSON.stringify([
        { id: "mine", base_url: "http://127.0.0.1:1/v1", local: true, models: providers },
      ]),
    };
    expect(route("auto:quick", settings, say("hi")).ids[0]).toBe("mine/small");
    expect(route("auto:quick", settings, say("word ".repeat(5000))).ids).toEqual(["mine/large"]);
    expect(route("auto:quick", settings, say("word ".repeat(500_000))).ids[0]).toBe("mine/small");
  });

  it("is DEFAULT_MODEL when that is set, with what may stand in for it; a tier by name is not", () => {
    const settings = { ...both, DEFAULT_MODEL: "openai/gpt-4o" };
    const { ids, why } = route("auto", settings, say(HARD));
    expect([ids[0], why]).toEqual(["openai/gpt-4o", "auto: DEFAULT_MODEL"]);
    expect(ids.length).toBeGreaterThan(1);
    expect(route("auto:hard", settings).ids[0]).toBe("openai/gpt-5.1");
    expect(route("auto", { ...both, DEFAULT_MODEL: "auto:code" }).ids[0]).toBe("openai/gpt-4.1");
    expect(() => route("auto", { DEFAULT_MODEL: "openai/gpt-4o" })).toThrow(/model_unknown/);
  });

  it("prefers what the session prefers, and passes over what is not offered", () => {
    expect(route("auto", both, say(HARD, session("claude-haiku-4-5")))).toMatchObject({
      ids: ["anthropic/claude-haiku-4-5", "openai/gpt-4.1-mini", "openai/gpt-4.1"],
      why: "auto: the session's preference",
    });
    expect(route("auto", both, say("hi", session("auto:hard"))).ids[0]).toBe("openai/gpt-5.1");
    const { ids, why } = route("auto", both, say("hi", session("nope/x")));
    expect(ids[0]).toBe("openai/gpt-4o-mini");
    expect(why).toMatch(/; the session's preference, nope\/x, is not offered$/);
    expect(route("gpt-4o", both, say("hi", session("claude-haiku-4-5"))).ids).toEqual(["openai/gpt-4o"]);
  });

  it("takes the session's preference before the account's, and each that is offered before the rules", () => {
    const prefer = (own: string | null, accounts: string) =>
      route("auto", { ...both, DEFAULT_MODEL: "openai/gpt-5.1" }, say("hi", prefers(own, accounts)));
    expect(prefer("claude-haiku-4-5", "gpt-4o")).toMatchObject({ why: "auto: the session's preference" });
    expect(prefer("claude-haiku-4-5", "gpt-4o").ids[0]).toBe("anthropic/claude-haiku-4-5");
    for (const own of [null, "auto"]) {
      expect(prefer(own, "gpt-4o").ids[0]).toBe("openai/gpt-4o");
      expect(prefer(own, "gpt-4o").why).toBe("auto: the account's preference");
    }
    expect(prefer("nope/x", "auto:hard")).toMatchObject({
      why: "auto: the account's preference; the session's preference, nope/x, is not offered",
    });
    expect(prefer("nope/x", "no-such-model")).toMatchObject({
      why: "auto: DEFAULT_MODEL; the session's preference, nope/x, is not offered; the account's preference, no-such-model, is not offered",
    });
    expect(prefer("nope/x", "no-such-model").ids[0]).toBe("openai/gpt-5.1");
    expect(prefer(null, "auto").why).toBe("auto: DEFAULT_MODEL");
  });

  it("is the embedded model when there is no other", () => {
    expect(route("auto", {}).ids).toEqual(["local/extractive"]);
    expect(route("auto:code", {}).ids).toEqual(["local/extractive"]);
  });
});

describe("by name", () => {
  it("one model, without a fallback", () => {
    expect(route("gpt-4o", both)).toMatchObject({ ids: ["openai/gpt-4o"], why: "asked for by name" });
    expect(() => route("gpt-99", both)).toThrow(/model_unknown/);
  });

  it("or several, in the caller's order", () => {
    expect(route("gpt-4o, claude-haiku-4-5,gpt-4o", both).ids).toEqual(["openai/gpt-4o", "anthropic/claude-haiku-4-5"]);
    expect(() => route("gpt-4o,", both)).toThrow(/model_unknown/);
    expect(() => route("gpt-4o,gpt-4,gpt-4.1,o3", both)).toThrow(/at most 3/);
  });
});

describe("ROUTES", () => {
  const set = (value: unknown) => ({ ...both, ROUTES: JSON.stringify(value) });

  it("says which models serve a tier, and what follows a model that fails", () => {
    const settings = set({
      hard: ["gpt-5.2", "claude-opus-4-5"],
      fallbacks: { "openai/gpt-4o": ["claude-haiku-4-5"] },
    });
    expect(route("auto", settings, say(HARD)).ids).toEqual(["openai/gpt-5.2", "anthropic/claude-opus-4-5"]);
    expect(route("auto:quick", settings).ids[0]).toBe("openai/gpt-4o-mini");
    expect(route("gpt-4o", settings).ids).toEqual(["openai/gpt-4o", "anthropic/claude-haiku-4-5"]);
  });

  it("that names what is not there is the operator's mistake, not the caller's", () => {
    expect(() => route("auto:hard", set({ hard: ["gpt-99"] }))).toThrow(/not_configured: ROUTES: hard/);
    expect(() => route("gpt-4o", set({ fallbacks: { "openai/gpt-4o": ["x"] } }))).toThrow(/ROUTES: fallbacks/);
  });

  it.each([[{ slow: ["gpt-4o"] }], [{ quick: [] }], [{ quick: "gpt-4o" }], [["gpt-4o"]]])("refuses %j", (value) => {
    expect(() => route("auto", set(value))).toThrow(/not_configured: ROUTES/);
  });
});
