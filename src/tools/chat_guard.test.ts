import { env } from "cloudflare:test";
import { describe, expect, inject, it } from "vitest";
import * as z from "zod";
import { recordedCall } from "../../test/worker/call.ts";
import type { Env } from "../env.ts";
import { unwrap, WaypostError } from "../errors.ts";
import type { TokenUsage } from "../ledger/money.ts";
import { createModels } from "../models/catalogue.ts";
import type { ChatModel } from "../models/types.ts";
import { type Guarded, guarded } from "./chat_guard.ts";
import { guardFields } from "./chat_guard_schema.ts";
import type { Prompt } from "./chat_prompt.ts";
import { defineTool, type Tool } from "./define.ts";
import { briefSchemasOf, schemasOf } from "./schema.ts";

const upstreamUrl = inject("upstreamUrl");
const base_url = `${upstreamUrl}/v1`;
let names = 0;

interface Served {
  model: string;
  authorization: string | null;
  body?: { messages: { content: string }[] };
}
const served = async (key: string): Promise<Served[]> =>
  ((await (await fetch(`${upstreamUrl}/log`)).json()) as Served[]).filter(
    ({ authorization }) => authorization === `Bearer ${key}`,
  );

/** A deployment of its own: `key` tells its requests from others' in the provider's log. */
function deployment(over: Partial<Env> = {}) {
  const key = `sk-guard-${++names}`;
  const models = ["echo", "cut-mid-stream", "no-done"].map((name) => ({ name, context: 100_000, max_output: 4000 }));
  const settings: Env = {
    ...(env as unknown as Env),
    OPENAI_API_KEY: key,
    OPENAI_BASE_URL: base_url,
    MODEL_PROVIDERS: JSON.stringify([{ id: "paid", base_url, api_key: key, local: true, models }]),
    ...over,
  };
  return { key, settings, vault: `guard-${crypto.randomUUID()}` };
}
type Deployment = ReturnType<typeof deployment>;

const promptOf = (over: Partial<Prompt> & { text?: string } = {}): Prompt => {
  const { text = "hello", ...rest } = over;
  return { messages: [{ role: "user", content: text }], passages: [], hits: [], maxOutputTokens: 4000, ...rest };
};

/** As the chat tool does it: guards around the model, then the answer read to its end. */
async function chat(at: Deployment, input: Guarded, prompt: Prompt, options: { model?: string; whole?: boolean } = {}) {
  const call = recordedCall(at.settings, { vault: at.vault });
  const { model } = createModels(at.settings).resolve(options.model ?? "paid/echo");
  const before = (await served(at.key)).length;
  const shown: string[] = [];
  let usage: TokenUsage | undefined;
  let error: WaypostError | undefined;
  let cached = false;
  try {
    const guard = await guarded(call, input, new Map([[model, prompt]]), 1);
    const [[chain, prepared]] = [...guard.prompts] as [[ChatModel, Prompt]];
    const request = { ...prepared, streamed: !options.whole, signal: call.signal, temperature: input.temperature };
    for await (const event of chain.stream(request)) {
      if (event.type === "delta") shown.push(event.text);
      else usage = event.usage;
    }
    cached = guard.cached;
  } catch (thrown) {
    if (!(thrown instanceof WaypostError)) throw thrown;
    error = thrown;
  }
  const requests = (await served(at.key)).slice(before);
  const asked = requests.filter(({ model: name }) => !name.startsWith("moderations/"));
  const judged = requests.filter(({ model: name }) => name.startsWith("moderations/"));
  return { call, text: shown.join(""), shown, usage, error, cached, asked, judged };
}

describe("without any guard", () => {
  it("hands back what it was given, and asks nobody", async () => {
    const at = deployment();
    const call = recordedCall(at.settings, { vault: at.vault });
    const prompts = new Map([[createModels(at.settings).resolve("paid/echo").model, promptOf()]]);
    expect((await guarded(call, {}, prompts, 1)).prompts).toBe(prompts);
    expect((await guarded(call, { moderate: false, cache: false, redact: false }, prompts, 1)).prompts).toBe(prompts);
    expect(await served(at.key)).toEqual([]);
  });
});

describe("redaction", () => {
  const secret = "anna@example.org";
  it("keeps values from the provider, in every part of the prompt, and puts them back", async () => {
    const at = deployment();
    const passage = {
      n: 1,
      id: "d~0",
      title: `Mail of ${secret}`,
      url: "",
      text: `Write to ${secret} or +1 415 555 2671`,
    };
    const prompt = promptOf({
      messages: [
        { role: "system", content: `The user is ${secret}.` },
        { role: "assistant", content: `Hello ${secret}` },
        { role: "user", content: `Who is ${secret}, called Anna Schmidt?` },
      ],
      passages: [passage],
    });
    const { text, asked } = await chat(at, { redact: true }, prompt);
    const sent = JSON.stringify(asked[0]?.body);
    expect(sent).not.toContain("anna@");
    expect(sent).not.toContain("555");
    expect(sent).not.toContain("Schmidt");
    expect(sent.match(/\[EMAIL_1\]/g)?.length).toBe(5);
    expect(text).toContain(`Who is ${secret}, called Anna Schmidt?`);
    expect(text).not.toMatch(/EMAIL_1|NAME_1/);
    expect(prompt.passages[0]).toBe(passage);
  });

  it("is the same for an answer that comes whole, and leaves a prompt without private values as it is", async () => {
    const at = deployment();
    const { text } = await chat(at, { redact: ["email"] }, promptOf({ text: `Mail ${secret}` }), { whole: true });
    expect(text).toBe(`You said: Mail ${secret}`);
    const { asked } = await chat(at, { redact: true }, promptOf({ text: "plain words" }));
    expect(asked[0]?.body?.messages).toEqual([{ role: "user", content: "plain words" }]);
  });
});

describe("moderation of the input", () => {
  it("stops a flagged call before the model is asked, and notes it without its text", async () => {
    const at = deployment();
    const { error, asked, call } = await chat(at, { moderate: true }, promptOf({ text: "some flagviolence here" }));
    expect(error).toMatchObject({
      code: "content_flagged",
      status: 400,
      extras: { side: "input", categories: ["violence"] },
    });
    expect(JSON.stringify([error?.detail, error?.extras])).not.toContain("flagviolence");
    expect(error?.extras.usage).toBeUndefined();
    expect(asked).toEqual([]);
    const { flags } = unwrap(await call.vault.listFlags({ limit: 10 }));
    expect(flags).toMatchObject([
      { id: error?.extras.flag_id, call_id: call.id, side: "input", content: null, review: null, model: "paid/echo" },
    ]);
  });

  it("judges only what came with the call, redacted", async () => {
    const at = deployment();
    const messages = [
      { role: "user" as const, content: "an old flagviolence" },
      { role: "user" as const, content: "mail a@example.org" },
    ];
    const { error, judged } = await chat(
      at,
      { moderate: { input: true, output: false, on_failure: "closed" }, redact: true },
      promptOf({ messages }),
    );
    expect(error).toBeUndefined();
    expect(judged.map(({ body }) => body?.messages.map(({ content }) => content))).toEqual([["mail [EMAIL_1]"]]);
  });

  it("sees a word anywhere in a long text, also across two pieces", async () => {
    const at = deployment();
    for (const place of [0, 7_590, 7_598, 7_995, 12_000, 29_980]) {
      const filler = "word ".repeat(6_000);
      const text = `${filler.slice(0, place)} flagviolence ${filler.slice(place)}`;
      const { error } = await chat(at, { moderate: true }, promptOf({ text }));
      expect(error?.code, String(place)).toBe("content_flagged");
    }
  });
});

describe("moderation of the output", () => {
  const outputOnly = { moderate: { input: false, output: true, on_failure: "closed" as const } };
  const filler = (n: number) => "quiet words ".repeat(n);

  it("shows all of an answer that is not flagged", async () => {
    const at = deployment();
    for (const n of [0, 1, 49, 50, 51, 400]) {
      const { text, judged, shown } = await chat(at, outputOnly, promptOf({ text: `${filler(n)}end` }));
      expect(text).toBe(`You said: ${filler(n)}end`);
      // A verdict for every 600 characters or a word more, and one at the end.
      expect(judged.length).toBeLessThanOrEqual(Math.ceil(text.length / 600) + 1);
      expect(judged.length).toBeGreaterThanOrEqual(Math.max(1, Math.floor(text.length / 620)));
      if (n === 400) expect(shown.length).toBeGreaterThan(5);
    }
  });

  it.each([0, 20, 49, 50, 60, 100, 200, 333])(
    "never shows flagged text after %i quiet words, and tells what was used",
    async (n) => {
      const at = deployment();
      const text = `${filler(n)}flag phrase in two ${filler(100)}`;
      const streamed = await chat(at, outputOnly, promptOf({ text }));
      expect(streamed.error).toMatchObject({
        code: "content_flagged",
        extras: { side: "output", categories: ["harassment"] },
      });
      expect(streamed.text).not.toContain("flag");
      expect(`You said: ${text}`.startsWith(streamed.text)).toBe(true);
      const usage = streamed.error?.extras.usage as TokenUsage;
      expect(usage.output).toBeGreaterThan(0);
      expect(usage.input).toBeGreaterThan(0);
      const whole = await chat(at, outputOnly, promptOf({ text }), { whole: true });
      expect(whole.error?.code).toBe("content_flagged");
      expect(whole.text).toBe("");
      const { output } = (whole.error as WaypostError).extras.usage as TokenUsage;
      expect(output).toBe(text.trim().split(/\s+/).length + 2);
    },
  );

  it("keeps the text of a flagged call only for an account that wants it", async () => {
    const setting = (accounts: object) => ({
      MODERATION: JSON.stringify({ check: ["output"], on_failure: "closed", accounts }),
    });
    const keeps = await chat(deployment(setting({ a: { keep_content: true } })), {}, promptOf({ text: "flagself" }));
    expect(unwrap(await keeps.call.vault.listFlags({ limit: 1 })).flags[0]?.content).toContain("flagself");
    const others = await chat(deployment(setting({ b: { keep_content: true } })), {}, promptOf({ text: "flagself" }));
    expect(unwrap(await others.call.vault.listFlags({ limit: 1 })).flags[0]?.content).toBeNull();
  });

  it("does not take a provider's failure for a flag", async () => {
    const { error } = await chat(deployment(), outputOnly, promptOf({ text: filler(50) }), {
      model: "paid/cut-mid-stream",
    });
    expect(error?.code).toBe("provider_failed");
  });
});

describe("a moderator that does not answer", () => {
  const broken = (model: string, more: object = {}) => deployment({ MODERATION: JSON.stringify({ model, ...more }) });

  it.each(["fail-500", "fail-429", "wrong-content-type", "no-results", "short"])(
    "%s: a call that asks is refused, unless it says otherwise",
    async (model) => {
      const at = broken(model);
      const { error, asked } = await chat(at, { moderate: true }, promptOf());
      expect(error).toMatchObject({ code: "moderation_unavailable", status: 503 });
      expect(JSON.stringify([error?.detail, error?.extras])).not.toContain("secret");
      expect(asked).toEqual([]);
      const open = await chat(at, { moderate: { input: true, output: true, on_failure: "open" } }, promptOf());
      expect(open.text).toBe("You said: hello");
    },
  );

  it("lets pass what only an open policy checks, and a call cannot loosen a closed one", async () => {
    const open = await chat(broken("fail-500", { check: ["input", "output"] }), {}, promptOf());
    expect(open.text).toBe("You said: hello");
    const closed = broken("fail-500", { check: ["input"], on_failure: "closed" });
    for (const input of [
      {},
      { moderate: false },
      { moderate: { input: true, output: false, on_failure: "open" as const } },
    ]) {
      expect((await chat(closed, input, promptOf())).error?.code).toBe("moderation_unavailable");
    }
  });

  it("that nobody configured is said", async () => {
    const at = deployment({ OPENAI_API_KEY: "", OPENAI_BASE_URL: "" });
    expect((await chat(at, { moderate: true }, promptOf())).error?.code).toBe("not_configured");
    for (const MODERATION of ["{", '{"by":"nobody"}', '{"base_url":"ftp://x"}']) {
      const { settings } = deployment({ MODERATION });
      expect(() => recordedCall(settings)).toThrow(/MODERATION/);
    }
    expect(() => recordedCall(deployment({ CACHE_HIT: "10001" }).settings)).toThrow(/CACHE_HIT/);
  });
});

describe("the response cache", () => {
  it("answers the same a second time without the provider, for nothing", async () => {
    const at = deployment();
    const first = await chat(at, { cache: true }, promptOf());
    const second = await chat(at, { cache: true }, promptOf());
    expect([first.cached, first.asked.length, second.cached, second.asked.length]).toEqual([false, 1, true, 0]);
    expect(second.text).toBe(first.text);
    expect(second.usage).toEqual({ input: 0, output: 0 });
  });

  it("bills a part of the tokens when the setting says so, rounded up", async () => {
    const at = deployment({ CACHE_HIT: "2500" });
    const { usage } = await chat(at, { cache: true }, promptOf({ text: "one two three" }));
    expect((await chat(at, { cache: true }, promptOf({ text: "one two three" }))).usage).toEqual({
      input: Math.ceil((usage?.input ?? 0) / 4),
      output: Math.ceil((usage?.output ?? 0) / 4),
    });
  });

  it("takes anything else that goes to the model for another question", async () => {
    const at = deployment();
    await chat(at, { cache: true, temperature: 0 }, promptOf());
    const others: [Guarded, Prompt, string?][] = [
      [{ cache: true }, promptOf()],
      [{ cache: true, temperature: 0 }, promptOf({ text: "Hello" })],
      [{ cache: true, temperature: 0 }, promptOf({ maxOutputTokens: 3999 })],
      [
        { cache: true, temperature: 0 },
        promptOf({
          messages: [
            { role: "system", content: "be kind" },
            { role: "user", content: "hello" },
          ],
        }),
      ],
      [{ cache: true, temperature: 0 }, promptOf(), "paid/no-done"],
    ];
    for (const [input, prompt, model] of others)
      expect((await chat(at, input, prompt, model ? { model } : {})).cached).toBe(false);
    expect((await chat(at, { cache: true, temperature: 0 }, promptOf())).cached).toBe(true);
    expect(
      (await chat({ ...at, vault: `other-${at.vault}` }, { cache: true, temperature: 0 }, promptOf())).cached,
    ).toBe(false);
  });

  it("is never used for sessions, grounded calls, or a temperature that was not meant for it", async () => {
    const passages = [{ n: 1, id: "d~0", title: "t", url: "", text: "words" }];
    const never: [Guarded, Prompt][] = [
      [{ cache: true, session_id: "s" }, promptOf()],
      [{ cache: true }, promptOf({ passages })],
      [{ cache: true }, promptOf({ grounded: true })],
      [{ cache: true, temperature: 0.7 }, promptOf()],
      [{ cache: false }, promptOf()],
    ];
    for (const [input, prompt] of never) {
      const at = deployment();
      await chat(at, input, prompt);
      const again = await chat(at, input, prompt);
      expect([again.cached, again.asked.length]).toEqual([false, 1]);
    }
    const at = deployment();
    await chat(at, { cache: "sampled", temperature: 0.7 }, promptOf());
    expect((await chat(at, { cache: "sampled", temperature: 0.7 }, promptOf())).cached).toBe(true);
  });

  it("keeps no answer that was cut short or broken off", async () => {
    const at = deployment();
    const short = promptOf({ text: "one two three four five six", maxOutputTokens: 3 });
    await chat(at, { cache: true }, short);
    expect((await chat(at, { cache: true }, short)).cached).toBe(false);
    const broken = promptOf({ text: "one two three four five six" });
    await chat(at, { cache: true }, broken, { model: "paid/cut-mid-stream" });
    expect((await chat(at, { cache: true }, broken, { model: "paid/cut-mid-stream" })).cached).toBe(false);
  });

  it("holds redacted text: another's value gets the same answer with that value in it", async () => {
    const at = deployment();
    await chat(at, { cache: true, redact: true }, promptOf({ text: "Mail a@example.org" }));
    const other = await chat(at, { cache: true, redact: true }, promptOf({ text: "Mail b@example.org" }));
    expect([other.cached, other.text]).toEqual([true, "You said: Mail b@example.org"]);
  });

  it("has its answers judged too", async () => {
    const at = deployment();
    await chat(at, { cache: true }, promptOf({ text: "flagself" }));
    const judged = await chat(
      at,
      { cache: true, moderate: { input: false, output: true, on_failure: "closed" } },
      promptOf({ text: "flagself" }),
    );
    expect([judged.error?.code, judged.text, judged.asked.length]).toEqual(["content_flagged", "", 0]);
  });
});

describe("fields for programs only", () => {
  const tool = defineTool({
    name: "t",
    title: "T",
    description: "",
    scope: null,
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: z.strictObject({ message: z.string().max(5), ...guardFields }).superRefine(() => {}),
    output: z.object({}),
    rest: { method: "post", path: "/t" },
    run: async () => ({}),
    text: () => "",
  }) as unknown as Tool;

  it("are in the whole schema, not in what an agent lists, and their mark is in neither", () => {
    expect(Object.keys(schemasOf(tool).input.properties as object)).toEqual([
      "message",
      "redact",
      "redact_terms",
      "moderate",
      "cache",
    ]);
    expect(briefSchemasOf(tool).input).toEqual({
      type: "object",
      properties: { message: { type: "string" } },
      required: ["message"],
      additionalProperties: false,
    });
    expect(JSON.stringify(schemasOf(tool))).not.toContain('"rest"');
  });
});
