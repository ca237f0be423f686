import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { beforeAll, describe, expect, it } from "vitest";
import type { NextCall } from "../../src/tools/next_calls.ts";
import { account, agent, rest } from "./client.ts";

/** What a result may cost an agent, whatever it is made of, and whether what it leaves out is found where it says. */

const RESULT_TOKENS = 6_000;
const tokens = (value: unknown): number => countTokens(typeof value === "string" ? value : JSON.stringify(value));

const digits = (n: number): string =>
  Array.from({ length: n }, (_, i) => ((i + 1) * 2_654_435_761).toString(16)).join(" ");
const SCRIPTS: Record<string, string> = {
  English: "The harbour floods at spring tide, and nobody knows why it does. ",
  Chinese: "海港在大潮时会被淹没，没有人知道为什么会这样。请在涨潮之前把船移走。",
  Hindi: "वसंत ज्वार में बंदरगाह में पानी भर जाता है और कोई नहीं जानता क्यों। ",
  Thai: "ท่าเรือท่วมเมื่อน้ำขึ้นสูงสุดและไม่มีใครรู้ว่าทำไม ",
  hexadecimal: `${digits(40)} `,
  JSON: JSON.stringify(
    Array.from({ length: 8 }, (_, i) => ({ id: `k_${i * 7919}`, "x-y": [i, -i, null], on: i % 2 === 0 })),
  ),
};

interface Shown {
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever a tool answers
  data: any;
}

let call: (name: string, args: Record<string, unknown>) => Promise<Shown>;
let key: string;

beforeAll(async () => {
  ({ key } = await account());
  const client = await agent(key);
  call = async (name, args) => {
    const { content, structuredContent, isError } = await client.callTool({ name, arguments: args });
    const text = (content as { text: string }[]).map((part) => part.text).join("");
    expect(isError ?? false, text).toBe(false);
    expect(tokens(text), `${name} ${JSON.stringify(args)}, text`).toBeLessThanOrEqual(RESULT_TOKENS);
    expect(tokens(structuredContent), `${name} ${JSON.stringify(args)}, data`).toBeLessThanOrEqual(RESULT_TOKENS);
    for (const next of (structuredContent as { next?: NextCall[] }).next ?? []) {
      expect(text).toContain(`${next.tool} ${JSON.stringify(next.arguments)}`);
    }
    return { text, data: structuredContent };
  };
  let n = 0;
  for (const [script, words] of Object.entries(SCRIPTS)) {
    const long = `# ${script}\n\n${`${words}\n`.repeat(Math.ceil(60_000 / words.length))}`;
    const metadata = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${script}-${i}`, words.slice(0, 60)]));
    const documents = [
      { id: `long-${script}`, text: long, metadata },
      ...Array.from({ length: 10 }, (_, i) => ({
        id: `${script}-${i}`,
        title: words.slice(0, 150),
        text: `${i} needle ${words.repeat(10)}`,
      })),
    ];
    expect((await rest(key, "POST", "/v1/documents", { documents })).status).toBe(200);
    const push = Array.from({ length: 18 }, (_, i) => {
      const session_id = `s-${n++}`;
      const content = i === 0 ? long : words.repeat(6);
      return [
        { id: `c${session_id}`, kind: "session.create", session_id, title: `${i} ${words}`.slice(0, 190) },
        {
          id: `a${session_id}`,
          kind: "message.append",
          session_id,
          messages: [{ id: `m-${session_id}`, role: "user", content, created_at: "2026-01-31T12:00:00Z" }],
        },
      ];
    }).flat();
    expect((await rest(key, "POST", "/v1/sync", { device_id: "d", push })).status).toBe(200);
  }
});

const following = ({ data }: Shown, why: string): NextCall | undefined =>
  (data.next as NextCall[] | undefined)?.find((next) => next.why.startsWith(why));

/** The answers from a call on, each the one that the answer before names. */
async function readOn(tool: string, args: Record<string, unknown>, why: string): Promise<Shown[]> {
  const shown = [await call(tool, args)];
  for (let next = following(shown[0] as Shown, why); next; next = following(shown.at(-1) as Shown, why)) {
    shown.push(await call(next.tool, next.arguments));
    expect(shown.length).toBeLessThan(200);
  }
  return shown;
}

describe.each(Object.entries(SCRIPTS))("%s", (script, words) => {
  it("a long document is read whole, part by part", async () => {
    const parts = await readOn("fetch", { id: `long-${script}` }, "to read on");
    expect(parts.length).toBeGreaterThan(2);
    const whole = parts.map(({ data }) => data.text).join("");
    expect(whole.length).toBe(parts[0]?.data.length);
    expect(whole).toContain(words.trim());
    const { metadata, metadata_left_out = [] } = parts[0]?.data ?? {};
    expect(Object.keys(metadata).length + metadata_left_out.length).toBe(40);
  });

  it("so is a long message", async () => {
    const id = `msg:m-s-${Object.keys(SCRIPTS).indexOf(script) * 18}`;
    const parts = await readOn("fetch", { id }, "to read on");
    expect(parts.map(({ data }) => data.text).join("")).toBe(
      `# ${script}\n\n${`${words}\n`.repeat(Math.ceil(60_000 / words.length))}`,
    );
  });

  it("and a session with it: the rest of the message is where it says", async () => {
    const session_id = `s-${Object.keys(SCRIPTS).indexOf(script) * 18}`;
    const pages = await readOn("sync_session", { session_id }, "for the rest");
    const change = pages.flatMap(({ data }) => data.changes).find(({ kind }) => kind === "message");
    expect(change.left_out).toEqual(["content"]);
    const page = pages.find((each) => following(each, "to read on in this message"));
    expect(following(page as Shown, "to read on in this message")).toMatchObject({
      tool: "fetch",
      arguments: { id: `msg:m-${session_id}`, offset: change.message.content.length },
    });
  });
});

it("results of a search are told to the last, each once, best first", async () => {
  const whole = await rest(key, "POST", "/v1/search", { query: "needle", limit: 50 });
  const pages = await readOn("search", { query: "needle", limit: 50 }, "for the other");
  const ids = pages.flatMap(({ data }) => data.results.map(({ id }: { id: string }) => id));
  expect(ids).toHaveLength(50);
  expect(new Set(ids).size).toBe(50);
  expect(pages.length).toBeGreaterThan(1);
  expect(ids.slice(0, whole.body.results.length)).toEqual(whole.body.results.map(({ id }: { id: string }) => id));
});

it("sessions are listed to the last, each once", async () => {
  const pages = await readOn("list_sessions", { limit: 100 }, "for the next page");
  const ids = pages.flatMap(({ data }) => data.sessions.map(({ id }: { id: string }) => id));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toHaveLength(Object.keys(SCRIPTS).length * 18);
});

it("a device that copies gets every item whole", async () => {
  const { body } = await rest(key, "POST", "/v1/sync", { session_id: "s-0", limit: 100 });
  const [message] = body.changes.filter(({ kind }: { kind: string }) => kind === "message");
  expect(message.message.content.length).toBeGreaterThan(60_000);
  expect(message.left_out).toBeUndefined();
});
