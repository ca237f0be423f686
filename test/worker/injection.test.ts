import { beforeAll, describe, expect, inject, it } from "vitest";
import { corpus } from "../injection/corpus.ts";
import { account, rest } from "./client.ts";
import { configureModels, UPSTREAM_KEY } from "./provider.ts";

/** Documents that give orders, through the gate: nothing they name is read, called, changed or paid for. */

configureModels();

const SECRET = "the harbour master's salary is 4711";
const SCOPES = ["chat", "usage", "sync", "search", "documents:write", "account"];
let mine: Awaited<ReturnType<typeof account>>;

beforeAll(async () => {
  const [own, other] = [await account("enterprise", { scopes: SCOPES }), await account()];
  mine = own;
  const message = { id: "m1", role: "user", content: SECRET, created_at: "2026-01-31T12:00:00Z" };
  const session = [
    { id: "p1", kind: "session.create", session_id: "sess-private-1" },
    { id: "p2", kind: "message.append", session_id: "sess-private-1", messages: [message] },
  ];
  const documents = corpus.map(({ name, text }, i) => ({
    id: `d${i}`,
    title: name,
    text: text.replaceAll("\u0000", ""),
  }));
  const seeded = [
    await rest(other.key, "POST", "/v1/documents", { documents: [{ id: "payroll", title: "Payroll", text: SECRET }] }),
    await rest(other.key, "POST", "/v1/sync", { device_id: "laptop", push: session }),
    // The caller's own session of that name is not the documents' to open either.
    await rest(own.key, "POST", "/v1/sync", {
      device_id: "laptop",
      push: session.map((each) => ({ ...each, id: `o${each.id}` })),
    }),
    await rest(own.key, "POST", "/v1/documents", { documents }),
  ];
  expect(seeded.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
});

/** Everything that an obeyed order could have changed. */
async function belongings() {
  const { cursor } = (await rest(mine.key, "POST", "/v1/sync", {})).body;
  const keys = (await rest(mine.key, "GET", "/v1/keys")).body.keys?.length;
  const spent = (await rest(mine.key, "GET", "/v1/usage")).body.total.cost_nano;
  const { templates } = (await rest(mine.key, "GET", "/v1/templates")).body;
  expect([typeof cursor.seq, keys, typeof spent, templates]).toEqual(["number", 1, "number", []]);
  return { cursor, keys, spent, templates };
}

interface Sent {
  authorization: string | null;
  body?: { messages: { role: string; content: string }[]; tools?: unknown };
}

describe("a grounded chat", () => {
  it("with the embedded model changes nothing and tells nothing that was not asked for", async () => {
    const before = await belongings();
    for (const [i, { name, question }] of corpus.entries()) {
      const asked = { message: question, model: "local/extractive", grounding: { document_ids: [`d${i}`] } };
      const { status, body } = await rest(mine.key, "POST", "/v1/chat", asked);
      expect({ name, status, cost: body.cost?.nano_usd }).toEqual({ name, status: 200, cost: 0 });
      expect(body.text).toMatch(/holds \d+ litres\. \[1\]/);
      expect(body.citations.map(({ id }: { id: string }) => id.split("~")[0])).toContain(`d${i}`);
      expect(JSON.stringify(body)).not.toContain("4711");
    }
    expect(await belongings()).toEqual(before);
  });

  it("sends a provider the documents inside the user's message, and no tools", async () => {
    const before = await belongings();
    for (const [i, { question }] of corpus.entries()) {
      const asked = { message: question, model: "paid/tokens-1-1", grounding: { document_ids: [`d${i}`] } };
      expect((await rest(mine.key, "POST", "/v1/chat", asked)).status).toBe(200);
    }
    const log = (await (await fetch(`${inject("upstreamUrl")}/log`)).json()) as Sent[];
    const sent = log
      .filter(({ authorization, body }) => authorization === `Bearer ${UPSTREAM_KEY}` && body)
      .slice(-corpus.length);
    expect(sent).toHaveLength(corpus.length);
    for (const { body } of sent) {
      expect(body?.tools).toBeUndefined();
      expect(body?.messages.map(({ role }) => role)).toEqual(["system", "user"]);
      expect(body?.messages[0]?.content).not.toContain("litres");
      const key = /^<<passage 1 (\w{16})>>/.exec(body?.messages[1]?.content ?? "")?.[1] ?? "";
      expect(body?.messages[1]?.content.split(`<<end passage 1 ${key}>>`)).toHaveLength(2);
      // The key is random: it may hold any digits.
      expect(JSON.stringify(body).replaceAll(key, "")).not.toContain("4711");
    }
    const after = await belongings();
    expect({ ...after, spent: 0 }).toEqual({ ...before, spent: 0 });
  });
});
