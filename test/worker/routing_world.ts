import { env } from "cloudflare:test";
import { beforeEach, expect, inject } from "vitest";
import type { Env } from "../../src/env.ts";
import { unwrap } from "../../src/errors.ts";
import { costNano } from "../../src/ledger/money.ts";
import { breakers } from "../../src/models/routing/breaker.ts";
import type { Told } from "./both_doors.ts";

const PRICES = {
  main: { input: 3_000_000, output: 15_000_000 },
  spare: { input: 1_000_000, output: 2_000_000 },
  gone: { input: 500_000, output: 500_000 },
};
type ProviderId = keyof typeof PRICES;

interface Served {
  model: string;
  authorization: string | null;
  completed: boolean;
  usage: { prompt_tokens: number; completion_tokens: number } | null;
}

/**
 * Two providers at the stand-in, told apart by their keys in its log and by their prices in the bill, and one that is not
 * there. `tag` is in their keys, so that test files do not see each other; `names` are the models that have a price.
 */
export function routingWorld(tag: string, names: readonly string[], routes: object) {
  const settings = env as unknown as Env;
  const upstream = inject("upstreamUrl");
  const ids = Object.keys(PRICES) as ProviderId[];
  const keyOf = (id: string) => `sk-${tag}-${id}`;
  settings.MODEL_PROVIDERS = JSON.stringify(
    ids.map((id) => ({
      id,
      base_url: id === "gone" ? "http://127.0.0.1:9/v1" : `${upstream}/v1`,
      api_key: keyOf(id),
      local: false,
      models: [{ name: "echo", context: 100_000, max_output: 4096 }],
    })),
  );
  const usd = (pico: number) => String(pico / 1e6);
  settings.MODEL_PRICES = JSON.stringify(
    Object.fromEntries(
      ids.flatMap((id) =>
        names.map((name) => [`${id}/${name}`, { input: usd(PRICES[id].input), output: usd(PRICES[id].output) }]),
      ),
    ),
  );
  settings.ROUTES = JSON.stringify(routes);
  settings.DEFAULT_MODEL = "";

  let seen = 0;
  /** What the stand-in served since it was last asked. */
  async function served(): Promise<(Served & { provider: ProviderId })[]> {
    const all = (await (await fetch(`${upstream}/log`)).json()) as Served[];
    const ours = all.flatMap((entry) => {
      const provider = ids.find((id) => entry.authorization === `Bearer ${keyOf(id)}`);
      return provider ? [{ ...entry, provider }] : [];
    });
    const fresh = ours.slice(seen);
    seen = ours.length;
    return fresh;
  }

  beforeEach(async () => {
    breakers.clear();
    await served();
  });

  return {
    settings,
    upstream,
    served,
    /** What the provider's own log makes of the bill: every answer that was completed and counted, at its provider's price. */
    billOf: (log: Awaited<ReturnType<typeof served>>): number =>
      log.reduce((sum, { completed, usage, provider }) => {
        if (!completed || !usage) return sum;
        const tokens = { input: usage.prompt_tokens, output: usage.completion_tokens };
        return sum + costNano(tokens, PRICES[provider], 10_300);
      }, 0),
    /** Read past the gate: the owner's calls are limited. */
    books: async (id: string) => unwrap(await settings.LEDGER.get(settings.LEDGER.idFromName(id)).audit()),
  };
}

/** An answer of `main` that broke off after its first words: when they were delivered nobody else was asked, else `spare` was. */
export function expectBrokenOff(told: Told, by: ProviderId[], answer: string, code: string, streamed: boolean): void {
  if (!streamed) {
    expect(told.data).toMatchObject({ model: "spare/echo", text: answer });
    return;
  }
  expect(by).toEqual(["main"]);
  expect([told.code, told.cost]).toEqual([code, 0]);
  expect(told.problem).toMatchObject({ partial: true });
  expect(told.problem?.detail).toMatch(/A part of the answer had been sent\.$/);
  expect(answer.startsWith(told.deltas.join(""))).toBe(true);
}
