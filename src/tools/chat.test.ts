import { env } from "cloudflare:test";
import { describe, expect, inject, test } from "vitest";
import { type RecordedCall, recordedCall } from "../../test/worker/call.ts";
import type { Env } from "../env.ts";
import { unwrap, type WaypostError } from "../errors.ts";
import { costNano, formatUsd } from "../ledger/money.ts";
import { createModels } from "../models/catalogue.ts";
import { boundTokens } from "../models/tokens.ts";
import { chat } from "./chat.ts";
import { ChatInput, ChatOutput } from "./chat_schema.ts";

const upstreamUrl = inject("upstreamUrl");
/** Tells this file's requests from those of others in the provider's log. */
const KEY = "sk-chat-tests";
const settings: Env = {
  ...(env as unknown as Env),
  OPENAI_API_KEY: "sk-test",
  OPENAI_BASE_URL: `${upstreamUrl}/v1`,
  PROVIDER_TIMEOUT_MS: "1000",
  MODEL_PROVIDERS: JSON.stringify([
    {
      id: "paid",
      base_url: `${upstreamUrl}/v1`,
      api_key: KEY,
      local: false,
      models: [{ name: "small", context: 1000, max_output: 200 }],
    },
    { id: "own", base_url: `${upstreamUrl}/v1`, api_key: KEY, local: true, models: [{ name: "free" }] },
  ]),
  MODEL_PRICES: JSON.stringify(
    Object.fromEntries(
      ["small", "cut-mid-stream", "fail-500", "slow-words", "cached-tokens", "tokens-1000-500"].map((name) => [
        `paid/${name}`,
        { input: "3", output: "15", cache_read: "0.3" },
      ]),
    ),
  ),
};

interface Served {
  model: string;
  authorization: string | null;
  body: { messages: { role: string; content: string }[]; max_tokens: number };
}
async function lastServed(model: string): Promise<Served> {
  const log = (await (await fetch(`${upstreamUrl}/log`)).json()) as Served[];
  const found = log.findLast((entry) => entry.model === model && entry.authorization === `Bearer ${KEY}`);
  if (!found) throw new Error(`${model} was not called`);
  return found;
}

const parse = (input: object) => ChatInput.parse(input);

/** As the gate does it: quote, hold, run. */
async function run(input: object, options: Parameters<typeof recordedCall>[1] = {}) {
  const parsed = parse(input);
  const hold = chat.quote?.(parsed, createModels(settings));
  const call = recordedCall(settings, { ...options, ...(hold ? { hold } : {}) });
  const output = ChatOutput.parse(await chat.run(call, parsed));
  return { call, output };
}

async function failure(
  input: object,
  options: Parameters<typeof recordedCall>[1] = {},
  act?: (call: RecordedCall) => void,
) {
  const call = recordedCall(settings, options);
  act?.(call);
  const error = await chat.run(call, parse(input)).then(
    () => undefined,
    (thrown: WaypostError) => thrown,
  );
  return { call, error };
}

const textOf = (call: RecordedCall) => call.events.map((event) => (event.type === "delta" ? event.text : "")).join("");

describe("a plain question", () => {
  test("streams, answers, and costs exactly what the provider counted", async () => {
    const { call, output } = await run({ message: "one two three", model: "gpt-4o-mini" });
    expect(output).toMatchObject({
      model: "openai/gpt-4o-mini",
      provider: "openai",
      why: "asked for by name",
      text: "You said: one two three",
      finish_reason: "stop",
      grounded: false,
      citations: [],
      usage: { input_tokens: 7, output_tokens: 5, cache_read_tokens: 0, estimated: false },
    });
    expect(textOf(call)).toBe(output.text);
    const cost = costNano({ input: 7, output: 5 }, { input: 150_000, output: 600_000 }, 10_300);
    expect(output.cost).toEqual({ nano_usd: cost, usd: formatUsd(cost) });
    expect(call.charges).toHaveLength(1);
    expect(call.holds).toHaveLength(1);
  });

  test("1,000 in and 500 out at 3 and 15 USD with 3 % markup are 10,815,000 nano-USD", async () => {
    const { output } = await run({ message: "x", model: "paid/tokens-1000-500" });
    expect(output.cost).toEqual({ nano_usd: 10_815_000, usd: "0.010815000" });
  });

  test("cached tokens are priced as such", async () => {
    const { output } = await run({ message: "one two three four five six", model: "paid/cached-tokens" });
    expect(output.usage).toMatchObject({ input_tokens: 5, cache_read_tokens: 5, output_tokens: 8 });
    const price = { input: 3_000_000, output: 15_000_000, cacheRead: 300_000 };
    expect(output.cost.nano_usd).toBe(costNano({ input: 5, cacheRead: 5, output: 8 }, price, 10_300));
  });

  test("the quote covers the prompt and the output, and the grant is what is asked for", async () => {
    const input = { message: "żółć", model: "paid/small", max_tokens: 150 };
    expect(chat.quote?.(parse(input), createModels(settings))).toEqual({
      model: "paid/small",
      provider: "paid",
      price: { input: 3_000_000, output: 15_000_000, cacheRead: 300_000, version: "MODEL_PRICES" },
      markupBps: 10_300,
      inputTokens: boundTokens([{ role: "user", content: "żółć" }]),
      maxOutputTokens: 150,
      minOutputTokens: 64,
    });
    await run(input, { granted: 70 });
    expect((await lastServed("small")).body.max_tokens).toBe(70);
  });

  test("a local model holds nothing and costs nothing", async () => {
    const { call, output } = await run({ messages: [{ role: "user", content: "hi" }], model: "free" });
    expect(call.holds).toEqual([]);
    expect(call.charges).toMatchObject([{ model: "own/free", cost: 0 }]);
    expect(output.cost).toEqual({ nano_usd: 0, usd: "0.000000000" });
  });

  test("the text channel stands alone", async () => {
    const { output } = await run({ message: "one", model: "gpt-4o-mini" });
    expect(chat.text(output)).toBe(`You said: one\n\n(openai/gpt-4o-mini, 5 + 3 tokens, ${output.cost.usd} USD)`);
  });
});

describe("input", () => {
  test.each([
    [{}, "message"],
    [{ message: "a", messages: [{ role: "user", content: "b" }] }, "message"],
    [{ messages: [{ role: "assistant", content: "b" }] }, "messages.0.role"],
    [{ message: "ż".repeat(600_000) }, "message"],
    [{ message: "" }, "message"],
    [{ message: "a", session_id: "no spaces" }, "session_id"],
    [{ message: "a", grounding: { limit: 21 } }, "grounding.limit"],
    [{ message: "a", max_tokens: 0 }, "max_tokens"],
    [{ message: "a", other: 1 }, ""],
  ])("refuses case %#", (input, path) => {
    const parsed = ChatInput.safeParse(input);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues.map((issue) => issue.path.join("."))).toContain(path);
  });

  test("an unknown or unpriced model is refused before anything is held", () => {
    const models = createModels(settings);
    expect(() => chat.quote?.(parse({ message: "a", model: "nope" }), models)).toThrow(/model_unknown/);
    expect(() => chat.quote?.(parse({ message: "a", model: "paid/nope" }), models)).toThrow(/model_unpriced/);
  });

  test("a message that does not fit the model is refused without calling it", async () => {
    const { call, error } = await failure({ message: "word ".repeat(1000), model: "paid/small" });
    expect(error?.code).toBe("context_too_long");
    expect(error?.detail).toContain("takes 800");
    expect(call.charges).toEqual([]);
  });
});

describe("providers that fail", () => {
  test("before the first word: nothing is charged", async () => {
    const { call, error } = await failure({ message: "a", model: "paid/fail-500" });
    expect(error?.code).toBe("provider_failed");
    expect(call.charges).toEqual([]);
    expect(call.billedFailure).toBe(false);
  });

  test("in the middle: nothing is charged for what was produced", async () => {
    const { call, error } = await failure({ message: "one two three four", model: "paid/cut-mid-stream" });
    expect(error?.code).toBe("provider_failed");
    expect(call.billedFailure).toBe(false);
    expect(call.charges).toEqual([]);
    expect(textOf(call)).toMatch(/^You said: /);
    expect(error?.extras).not.toHaveProperty("usage");
  });

  test("cancelled in the middle: billed as client_closed, as an estimate; out of time: provider_timeout, free", async () => {
    const message = Array.from({ length: 100 }, (_, i) => `w${i}`).join(" ");
    const cancelled = await failure({ message, model: "paid/slow-words" }, {}, ({ controller }) => {
      setTimeout(() => controller.abort(), 300);
    });
    expect(cancelled.error?.code).toBe("client_closed");
    expect(cancelled.call.billedFailure).toBe(true);
    expect(cancelled.call.charges).toMatchObject([{ model: "paid/slow-words", estimated: true }]);
    const late = await failure({ message, model: "paid/slow-words" }, { deadlineMs: 300 });
    expect(late.error?.code).toBe("provider_timeout");
    expect(late.call.charges).toEqual([]);
  });
});

describe("sessions", () => {
  const vaultOf = (name: string) => recordedCall(settings, { vault: name }).vault;

  test("are created, continued, and stored as one turn a call", async () => {
    const vault = "continued";
    const first = await run({ message: "hello there", model: "paid/small", session_id: "s1" }, { vault });
    expect(first.output.session_id).toBe("s1");
    expect(first.call.holds).toHaveLength(1);
    await run({ message: "and again", model: "paid/small", session_id: "s1" }, { vault });
    expect((await lastServed("small")).body.messages.map(({ role, content }) => `${role}: ${content}`)).toEqual([
      "user: hello there",
      "assistant: You said: hello there",
      "user: and again",
    ]);
    const session = unwrap(await vaultOf(vault).readSession({ session_id: "s1", limit: 10 }));
    expect(session.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(session.messages.map(({ id }) => id)).toContain(first.output.id);
    for (const [i, { parent_id }] of session.messages.entries()) {
      expect(parent_id).toBe(session.messages[i - 1]?.id ?? null);
    }
    expect(session.messages[1]).toMatchObject({ model: "paid/small", content: "You said: hello there" });
  });

  test("the hold covers the history", async () => {
    const vault = "held";
    await run({ message: "hello there", model: "paid/small", session_id: "s" }, { vault });
    const { call } = await run({ message: "more", model: "paid/small", session_id: "s" }, { vault });
    const sent = (await lastServed("small")).body.messages.map(({ content }) => ({ role: "user" as const, content }));
    expect(sent).toHaveLength(3);
    expect(call.holds[0]?.inputTokens).toBe(boundTokens(sent));
  });

  test("a repeated attempt stores its turn once and does not read its own", async () => {
    const options = { vault: "repeated", attempt: "at_1" };
    await run({ message: "once", model: "own/free", session_id: "s" }, options);
    await run({ message: "once", model: "own/free", session_id: "s" }, options);
    expect((await lastServed("free")).body.messages).toEqual([{ role: "user", content: "once" }]);
    const session = unwrap(await vaultOf("repeated").readSession({ session_id: "s", limit: 10 }));
    expect(session.messages).toHaveLength(2);
  });

  test("their notes and preferred model are used", async () => {
    const vault = vaultOf("notes");
    const create = {
      id: "m1",
      kind: "session.create" as const,
      session_id: "s",
      model_preference: "own/free",
      context: { framing: "Be brief." },
    };
    unwrap(await vault.push({ device_id: "d1", mutations: [create] }));
    const { output } = await run({ message: "hi", session_id: "s" }, { vault: "notes" });
    expect(output).toMatchObject({ model: "own/free", why: "auto: the session's preference" });
    expect((await lastServed("free")).body.messages[0]).toEqual({ role: "system", content: "Be brief." });
    const other = await run({ message: "hi", session_id: "s", model: "paid/small" }, { vault: "notes" });
    expect(other.output.model).toBe("paid/small");
  });

  test("the oldest history gives way when the window is full", async () => {
    const vault = "full";
    for (let i = 0; i < 8; i++) {
      await run({ message: `turn ${i} ${"word ".repeat(60)}`, model: "own/free", session_id: "s" }, { vault });
    }
    await run({ message: "last", model: "paid/small", session_id: "s" }, { vault });
    const { messages } = (await lastServed("small")).body;
    expect(messages.length).toBeGreaterThan(2);
    expect(messages.length).toBeLessThan(10);
    expect(messages[0]?.role).toBe("user");
    expect(messages.at(-1)?.content).toBe("last");
    expect(messages.at(-3)?.content).toMatch(/^turn 7 /);
  });

  const at = (id: string, kind: "session.create" | "session.delete") => ({ id, kind, session_id: "s" });

  test("a session that was deleted refuses the call before anything is held or asked", async () => {
    const mutations = [at("m1", "session.create"), at("m2", "session.delete")];
    unwrap(await vaultOf("deleted before").push({ device_id: "d1", mutations }));
    const { call, error } = await failure(
      { message: "not for a model", model: "paid/small", session_id: "s" },
      { vault: "deleted before" },
    );
    expect(error).toMatchObject({
      code: "conflict",
      detail: "Session s was deleted; start a new one with another id.",
    });
    expect(error?.extras).not.toHaveProperty("answer");
    expect([call.holds, call.charges, call.billedFailure]).toEqual([[], [], false]);
    const asked = ((await (await fetch(`${upstreamUrl}/log`)).json()) as Served[]).map(({ body }) =>
      JSON.stringify(body?.messages),
    );
    expect(asked.filter((messages) => messages?.includes("not for a model"))).toEqual([]);
  });

  test("a turn that cannot be stored is billed, and its answer is not lost", async () => {
    const vault = vaultOf("deleted");
    const { call, error } = await failure(
      { message: "hi", model: "paid/small", session_id: "s" },
      { vault: "deleted" },
      (call) => {
        const { reserve } = call;
        call.reserve = async (hold) => {
          const mutations = [at("m1", "session.create"), at("m2", "session.delete")];
          unwrap(await vault.push({ device_id: "d1", mutations }));
          return reserve(hold);
        };
      },
    );
    expect(error?.code).toBe("conflict");
    expect(error?.extras.answer).toBe("You said: hi");
    expect(call.billedFailure).toBe(true);
  });
});
