import { env } from "cloudflare:test";
import { describe, expect, inject, it } from "vitest";
import type { Env } from "../../env.ts";
import type { AiBinding } from "../providers/workers_ai.ts";
import { LLAMA_GUARD, llamaGuard, readVerdict } from "./llama_guard.ts";
import { moderationOf } from "./settings.ts";

const runs: { model: string; messages: unknown }[] = [];
/** Of the binding's shape; what it asks is asked of the stand-in, over a socket. */
const AI: AiBinding = {
  run: (model, inputs, options) => {
    runs.push({ model, messages: inputs.messages });
    const signal = options?.signal ?? null;
    return fetch(`${inject("upstreamUrl")}/llama-guard`, { method: "POST", body: JSON.stringify(inputs), signal });
  },
};
const guard = llamaGuard(AI);
const { signal } = new AbortController();

describe("Llama Guard", () => {
  it("judges what was sent, and an answer beside what it answers", async () => {
    expect(await guard.judge({ side: "input", text: "hello" }, signal)).toEqual({ flagged: false, categories: [] });
    const verdict = await guard.judge({ side: "input", text: "flagself and flagviolence" }, signal);
    expect(verdict).toEqual({ flagged: true, categories: ["S1", "S11"] });
    expect(await guard.judge({ side: "output", text: "fine", question: "flagviolence?" }, signal)).toMatchObject({
      flagged: false,
    });
    expect(runs.at(-1)).toEqual({
      model: LLAMA_GUARD,
      messages: [
        { role: "user", content: "flagviolence?" },
        { role: "assistant", content: "fine" },
      ],
    });
    expect(await guard.judge({ side: "output", text: "flagviolence guard object" }, signal)).toEqual({
      flagged: true,
      categories: ["S1"],
    });
  });

  it("sees all of a long text", async () => {
    const text = `${"word ".repeat(5_000)}flagviolence`;
    expect(await guard.judge({ side: "input", text }, signal)).toMatchObject({ flagged: true });
  });

  it("that says neither is unavailable, without its words", async () => {
    const judged = guard.judge({ side: "input", text: "guard broken" }, signal);
    await expect(judged).rejects.toMatchObject({
      code: "moderation_unavailable",
      detail: expect.not.stringContaining("secret"),
    });
    await expect(guard.judge({ side: "input", text: "x" }, AbortSignal.abort())).rejects.toMatchObject({
      code: "client_closed",
    });
  });

  it.each([["safe"], ["\n\nsafe"], ["safe \n"], [{ safe: true }]])("reads %j as safe", (said) => {
    expect(readVerdict(said)).toEqual({ flagged: false, categories: [] });
  });

  it.each([["unsafe\nS1"], [" unsafe\nS1\n"], ["unsafe S1"], [{ safe: false, categories: ["S1"] }]])(
    "reads %j as unsafe",
    (said) => {
      expect(readVerdict(said)).toEqual({ flagged: true, categories: ["S1"] });
    },
  );

  it.each([[""], [null], [undefined], ["SAFE?"], ["safe unsafe"], ["unsafe\nbecause"], [{}], [{ safe: "yes" }], [5]])(
    "takes %j for no verdict",
    (said) => {
      expect(() => readVerdict(said)).toThrow();
    },
  );

  it("is who is asked where there is no key, or where the setting says so", () => {
    const base = { ...(env as unknown as Env), OPENAI_API_KEY: "", OPENAI_BASE_URL: "", AI };
    const of = (over: Partial<Env>) => moderationOf({ ...base, ...over }).moderator.id;
    expect(of({})).toBe(`workers-ai/${LLAMA_GUARD}`);
    expect(of({ OPENAI_API_KEY: "k" })).toBe("openai/omni-moderation-latest");
    expect(of({ OPENAI_API_KEY: "k", MODERATION: '{"by":"workers-ai"}' })).toBe(`workers-ai/${LLAMA_GUARD}`);
    expect(of({ MODERATION: '{"base_url":"http://127.0.0.1:9/v1","model":"own"}' })).toBe("openai/own");
    expect(() => of({ MODERATION: '{"by":"openai"}' })).toThrow(/not_configured/);
  });
});
