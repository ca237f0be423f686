import { SELF } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { breakers } from "../../src/models/routing/breaker.ts";
import { account, ORIGIN, rest } from "./client.ts";
import { routingWorld } from "./routing_world.ts";

/** Drop-in endpoints survive a provider's failure like the chat tool does, as long as nothing of an answer was sent. */

const WAYS = [
  ["/v1/chat/completions", "passed through"],
  ["/v1/messages", "converted"],
  ["/v1/responses", "converted"],
] as const;
const flaky = (path: string, stream: boolean) => ({
  fails: `flaky-2-500-then-ok-dialects${path.replaceAll("/", "-")}-${stream}`,
  waits: `flaky-1-429-after-1-then-ok-dialects${path.replaceAll("/", "-")}-${stream}`,
});
const NAMES = [
  ...WAYS.flatMap(([path]) => [true, false].flatMap((stream) => Object.values(flaky(path, stream)))),
  ...["echo", "fail-400", "fail-401", "fail-500", "fail-503", "cut-mid-stream"],
];

const { settings, upstream, served, billOf, books } = routingWorld("dialects", NAMES, {
  quick: ["main/fail-500", "spare/echo"],
  code: ["main/fail-401", "spare/echo"],
  fallbacks: {
    "main/fail-503": ["anthropic/claude-haiku-4-5", "spare/echo"],
    "gone/echo": ["spare/echo"],
  },
});
settings.ANTHROPIC_API_KEY = "sk-ant-dialects";
settings.ANTHROPIC_BASE_URL = `${upstream}/v1`;
settings.PROVIDER_TIMEOUT_MS = "20000";

const WORDS = "Tell me of the tides.";

describe.each(WAYS)("%s, %s", (path, how) => {
  describe.each([false, true])("streamed: %s,", (stream) => {
    async function ask(key: string, model: string, more: object = {}) {
      const words = path === "/v1/responses" ? { input: WORDS } : { messages: [{ role: "user", content: WORDS }] };
      const limit = path === "/v1/messages" ? { max_tokens: 50 } : {};
      const reply = await SELF.fetch(`${ORIGIN}${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ model, stream, ...words, ...limit, ...more }),
      });
      return { status: reply.status, text: await reply.text() };
    }

    /** The words of the answer, however they were sent. */
    function wordsOf(text: string): string {
      const events = stream ? [...text.matchAll(/^data: (\{.*)$/gm)].map((each) => JSON.parse(each[1] as string)) : [];
      if (stream) {
        const deltas = events.map(({ choices, delta }) => choices?.[0]?.delta?.content ?? delta?.text ?? delta);
        return deltas.filter((each) => typeof each === "string").join("");
      }
      const { choices, content, output } = JSON.parse(text);
      return choices?.[0].message.content ?? content?.[0].text ?? output?.at(-1).content[0].text;
    }

    async function answered(model: string, outcomes: string[], more: object = {}) {
      const { account: id, key } = await account();
      const { status, text } = await ask(key, model, more);
      const log = await served();
      expect([status, text.slice(0, 300)]).toEqual([200, expect.anything()]);
      expect(wordsOf(text)).toContain(`You said: ${WORDS}`);
      const { body: report } = await rest(key, "GET", "/v1/usage");
      const { cost_nano, id: callId } = report.recent.find(({ tool }: { tool: string }) => tool !== "usage");
      expect(cost_nano).toBe(billOf(log));
      expect(cost_nano).toBeGreaterThan(0);
      const { body: call } = await rest(key, "GET", `/v1/usage/calls/${callId}`);
      expect(call.tries.map(({ outcome }: { outcome: string }) => outcome)).toEqual(outcomes);
      const closed = { consistent: true, reserved_nano: 0, open_holds: 0, settled_cost_nano: cost_nano };
      expect(await books(id)).toMatchObject(closed);
      return { log, text, tries: call.tries as { model: string }[] };
    }

    it("a model that fails twice is asked a third time", async () => {
      const { log } = await answered(`main/${flaky(path, stream).fails}`, ["provider_failed", "provider_failed", "ok"]);
      expect(log).toHaveLength(3);
    });

    it("Retry-After is kept to", async () => {
      const began = Date.now();
      await answered(`main/${flaky(path, stream).waits}`, ["provider_busy", "ok"]);
      expect(Date.now() - began).toBeGreaterThanOrEqual(1_000);
    });

    it("the next model answers for auto", async () => {
      const { tries, text } = await answered("auto:quick", [...Array(3).fill("provider_failed"), "ok"]);
      expect(tries.at(-1)?.model).toBe("spare/echo");
      if (how === "converted") expect(text).toContain('"model":"spare/echo"');
    });

    it("a key that a provider refuses does not end the call where there is another model", async () => {
      await answered("auto:code", ["provider_refused", "ok"]);
      await answered("main/fail-401, spare/echo", ["provider_refused", "ok"]);
    });

    it("the caller's own list is gone through, and a configured fallback stands in", async () => {
      await answered("gone/echo, spare/echo", [...Array(3).fill("provider_unreachable"), "ok"]);
      breakers.clear();
      await answered("gone/echo", [...Array(3).fill("provider_unreachable"), "ok"]);
    });

    it("a provider that keeps failing is not asked again", async () => {
      const { key } = await account();
      for (let i = 0; i < 2; i++) expect((await ask(key, "main/fail-500")).status).toBeGreaterThanOrEqual(500);
      await served();
      const { status, text } = await ask(key, "main/fail-500");
      expect(status).toBeGreaterThanOrEqual(500);
      expect(text).toContain("it is not asked for");
      expect(await served()).toEqual([]);
    });

    it("a request that is refused is not sent to another", async () => {
      const { key } = await account();
      const { status } = await ask(key, "main/fail-400, spare/echo");
      expect(status).toBe(400);
      expect(await served()).toHaveLength(1);
    });

    if (stream) {
      it("nobody is asked again once words were sent", async () => {
        const { key } = await account();
        const { status, text } = await ask(key, "main/cut-mid-stream, spare/echo");
        expect(status).toBe(200);
        expect(text).toContain("provider_failed");
        expect((await served()).map(({ provider }) => provider)).toEqual(["main"]);
        expect((await rest(key, "GET", "/v1/usage")).body.total.cost_nano).toBe(0);
      });
    }

    if (path === "/v1/chat/completions") {
      it("a model that the request cannot be converted for does not stand in", async () => {
        const { tries } = await answered("main/fail-503", [...Array(3).fill("provider_failed"), "ok"], {
          logit_bias: { "1": 1 },
        });
        expect(tries.at(-1)?.model).toBe("spare/echo");
      });
    }
  });
});
