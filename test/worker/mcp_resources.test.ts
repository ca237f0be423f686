import { describe, expect, it } from "vitest";
import { account, agent, agentOf2025, rest } from "./client.ts";
import { ask } from "./mcp_ask.ts";
import { configureModels } from "./provider.ts";

configureModels();

const CLIENTS = { "2026": agent, "2025": agentOf2025 } as const;
type Era = keyof typeof CLIENTS;
const ERAS = Object.keys(CLIENTS) as Era[];

interface Listed {
  uri: string;
  name: string;
  title?: string;
  mimeType?: string;
  annotations?: { lastModified?: string };
}
interface Reader {
  listResources(params?: { cursor?: string }): Promise<{ resources: Listed[]; nextCursor?: string }>;
  readResource(params: { uri: string }): Promise<{ contents: { uri: string; mimeType?: string; text?: string }[] }>;
  close(): Promise<void>;
}
const reader = async (era: Era, key: string) => (await CLIENTS[era](key)) as unknown as Reader;

const message = (id: string, content: string) => ({ id, role: "user", content, created_at: "2026-01-31T12:00:00Z" });

async function withSession(key: string, id: string, title: string, contents: string[]) {
  const push = [
    { id: `c-${id}`, kind: "session.create", session_id: id, title },
    {
      id: `a-${id}`,
      kind: "message.append",
      session_id: id,
      messages: contents.map((content, n) => message(`${id}-${n}`, content)),
    },
  ];
  expect((await rest(key, "POST", "/v1/sync", { device_id: "d", push })).status).toBe(200);
}

const withDocuments = async (key: string, documents: object[]) =>
  expect((await rest(key, "POST", "/v1/documents", { documents })).status).toBe(200);

describe.each(ERAS)("resources for a client of %s", (era) => {
  it("lists models, the month, sessions and documents with their types and times, and reads each", async () => {
    const { key } = await account();
    await withSession(key, "trip", "Trip to the coast", ["When does the harbour flood?"]);
    await withDocuments(key, [
      {
        id: "guide/tides",
        title: "Tides",
        text: "# Tides\n\nThe harbour floods at spring tide.\n",
        format: "markdown",
      },
      { id: "plain", text: "Nothing but words." },
    ]);
    const client = await reader(era, key);
    const { resources, nextCursor } = await client.listResources();
    expect(nextCursor).toBeUndefined();
    const month = new Date().toISOString().slice(0, 7);
    expect(resources.map(({ uri }) => uri).sort()).toEqual(
      [
        `waypost://usage/${month}`,
        "waypost://models",
        "waypost://sessions/trip",
        "waypost://documents/guide%2Ftides",
        "waypost://documents/plain",
      ].sort(),
    );
    const trip = resources.find(({ name }) => name === "trip");
    expect(trip).toMatchObject({ title: "Trip to the coast", mimeType: "text/markdown" });
    expect(trip?.annotations?.lastModified).toMatch(/^\d{4}-\d\d-\d\dT/);
    const words: Record<string, RegExp> = {
      "waypost://sessions/trip":
        /# Trip to the coast[\s\S]*## user, 2026-01-31T12:00:00Z\n\nWhen does the harbour flood\?/,
      "waypost://documents/guide%2Ftides": /The harbour floods at spring tide/,
      "waypost://documents/plain": /^Nothing but words/,
      "waypost://models": /local\/extractive/,
      [`waypost://usage/${month}`]: /calls/,
    };
    for (const { uri, mimeType } of resources) {
      const { contents } = await client.readResource({ uri });
      expect(contents).toHaveLength(1);
      expect(contents[0]).toMatchObject({ uri, mimeType, text: expect.stringMatching(words[uri] as RegExp) });
    }
    expect(resources.find(({ name }) => name === "guide/tides")?.mimeType).toBe("text/markdown");
    await client.close();
  });

  it("pages through everything there is, once each", async () => {
    const { key } = await account();
    for (let n = 0; n < 3; n++) {
      const push = Array.from({ length: 40 }, (_, i) => ({
        id: `c${n}-${i}`,
        kind: "session.create",
        session_id: `s-${n}-${i}`,
        title: `Session ${n} ${i}`,
      }));
      expect((await rest(key, "POST", "/v1/sync", { device_id: "d", push })).status).toBe(200);
    }
    for (let n = 0; n < 3; n++) {
      await withDocuments(
        key,
        Array.from({ length: 40 }, (_, i) => ({ id: `d-${n}-${i}`, text: `Words ${n} ${i}` })),
      );
    }
    const seen: string[] = [];
    const pages: number[] = [];
    // By hand: the client of 2026 would walk the pages by itself.
    let cursor: string | undefined;
    do {
      const { body } = await ask(key, "resources/list", cursor === undefined ? {} : { cursor }, era === "2026");
      const { resources, nextCursor } = body.result;
      seen.push(...resources.map(({ uri }: Listed) => uri));
      pages.push(resources.length);
      cursor = nextCursor;
    } while (cursor !== undefined);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toHaveLength(2 + 120 + 120);
    expect(Math.max(...pages)).toBeLessThanOrEqual(100);
  });

  it("cuts what is long at whole parts, each saying where the next one is, without a gap", async () => {
    const { key } = await account();
    const said = Array.from({ length: 120 }, (_, n) => `<${n}> ${"word ".repeat(60)}`);
    await withSession(key, "long", "Long", said);
    const text = Array.from({ length: 3_000 }, (_, n) => `Line ${n} of the guide.`).join("\n");
    await withDocuments(key, [{ id: "long", text }]);
    const client = await reader(era, key);
    const walk = async (first: string) => {
      const parts: string[] = [];
      for (let uri: string | undefined = first; uri; ) {
        const read = await client.readResource({ uri });
        const part: string = read.contents[0]?.text ?? "";
        expect(part.length).toBeLessThan(24_000);
        parts.push(part);
        uri = /read the resource (waypost:\S+)\)$/.exec(part)?.[1];
      }
      return parts;
    };
    const session = await walk("waypost://sessions/long");
    expect(session.length).toBeGreaterThan(1);
    expect([...session.join("").matchAll(/<(\d+)>/g)].map(([, n]) => Number(n))).toEqual(said.map((_, n) => n));
    const document = await walk("waypost://documents/long");
    expect(document.length).toBeGreaterThan(1);
    const whole = document.map((part) => part.replace(/\n\n\(There is more: .*\)$/, "")).join("");
    expect(whole).toBe(text);
    await client.close();
  });
});

describe.each([true, false])("what cannot be read (modern: %s)", (modern) => {
  const read = (key: string, uri: string) => ask(key, "resources/read", { uri }, modern);

  it.each([
    ["waypost://sessions/none", "not_found"],
    ["waypost://documents/none", "not_found"],
    ["waypost://documents/msg:own-0", "not_found"],
    ["waypost://documents/own~0", "not_found"],
    ["waypost://sessions", "not_found"],
    ["waypost://models/x", "not_found"],
    ["waypost://sessions/%E0%A4%A", "not_found"],
    ["waypost://secrets/1", "not_found"],
    ["https://example.com/", "not_found"],
    ["waypost://usage/2026-13", "invalid_input"],
    ["waypost://usage/__proto__", "invalid_input"],
    ["waypost://models?after=nobody", "invalid_input"],
    ["waypost://sessions/own?after=0123.5", "resync_required"],
    [`waypost://documents/${"x".repeat(9_000)}`, "not_found"],
  ])("%.60s is %s", async (uri, code) => {
    const { key } = await account();
    await withSession(key, "own", "Own", ["words"]);
    await withDocuments(key, [{ id: "own", text: "words" }]);
    const { body, headers } = await read(key, uri);
    expect(body.error).toMatchObject({ data: { code, uri, request_id: headers.get("x-request-id") } });
    expect(body.error.code).toBe(code === "resync_required" ? -32_000 : -32_602);
    expect(body.error.message).not.toMatch(/\.ts:|TypeError/);
  });

  it("a deleted session is not there, like one that never was", async () => {
    const { key } = await account();
    await withSession(key, "gone", "Gone", ["words"]);
    const push = [{ id: "x", kind: "session.delete", session_id: "gone" }];
    expect((await rest(key, "POST", "/v1/sync", { device_id: "d", push })).status).toBe(200);
    const shape = ({ body }: Awaited<ReturnType<typeof read>>, id: string) =>
      JSON.stringify(body)
        .replaceAll(id, "#")
        .replace(/req_[0-9a-z]+/g, "#");
    expect(shape(await read(key, "waypost://sessions/gone"), "gone")).toBe(
      shape(await read(key, "waypost://sessions/none"), "none"),
    );
  });

  it("another account's things answer as absent ones do", async () => {
    const [mine, theirs] = [await account(), await account()];
    await withSession(theirs.key, "theirs", "Theirs", ["secret words"]);
    await withDocuments(theirs.key, [{ id: "theirs", text: "secret words" }]);
    for (const kind of ["sessions", "documents"]) {
      const [real, absent] = [
        await read(mine.key, `waypost://${kind}/theirs`),
        await read(mine.key, `waypost://${kind}/absent`),
      ];
      const shape = ({ status, body }: typeof real, id: string) =>
        JSON.stringify([status, body])
          .replaceAll(id, "#")
          .replace(/(req|call)_[0-9a-z]+/g, "#");
      expect(shape(real, "theirs")).toBe(shape(absent, "absent"));
      expect(real.body.error.data.code).toBe("not_found");
    }
    const { body } = await ask(mine.key, "resources/list", {}, modern);
    expect(JSON.stringify(body)).not.toContain("theirs");
  });

  it("a key sees what its scopes cover, and is told which scope the rest needs", async () => {
    const { key } = await account("enterprise", { scopes: ["search"] });
    const { body } = await ask(key, "resources/list", {}, modern);
    expect(body.result.resources.map(({ uri }: Listed) => uri)).toEqual(["waypost://models"]);
    const refused = await read(key, "waypost://sessions/s");
    expect(refused.body.error.data).toMatchObject({ code: "insufficient_scope", required_scope: "sync" });
  });

  it("a read counts against the limits like the tool, and is listed as it", async () => {
    const mine = await account("enterprise", { limits: { minute: 3 } });
    const list = await ask(mine.key, "resources/list", {}, modern);
    expect(list.body.result.resources).toHaveLength(2);
    expect(list.headers.get("x-ratelimit-remaining")).toBe("1");
    const text = (await read(mine.key, `waypost://usage/${new Date().toISOString().slice(0, 7)}`)).body.result;
    expect(text._meta).toMatchObject({
      "waypost/cost-nano-usd": 0,
      "waypost/call-id": expect.stringMatching(/^call_/),
    });
    expect(text.contents[0].text).toMatch(/list_sessions[\s\S]*list_documents|list_documents[\s\S]*list_sessions/);
    const over = await read(mine.key, "waypost://models");
    expect(over.body.error).toMatchObject({ code: -32_000, data: { code: "rate_limited" } });
    expect(over.headers.get("retry-after")).toMatch(/^\d+$/);
  });

  it("a cursor of nobody's is refused", async () => {
    const { key } = await account();
    for (const cursor of ["x", "sessions:nonsense", "documents:nonsense", "sessions:__proto__"]) {
      const { body } = await ask(key, "resources/list", { cursor }, modern);
      expect(body.error).toMatchObject({ code: -32_602, data: { code: "invalid_input" } });
    }
  });
});

it("templates and cache hints: what is everybody's is public, what is the account's is private", async () => {
  const { key } = await account();
  const templates = await ask(key, "resources/templates/list", {}, true);
  expect(templates.body.result).toMatchObject({ cacheScope: "public", ttlMs: 300_000 });
  expect(
    templates.body.result.resourceTemplates.map(({ uriTemplate }: { uriTemplate: string }) => uriTemplate),
  ).toEqual(["waypost://sessions/{id}", "waypost://documents/{id}", "waypost://usage/{month}"]);
  const listed = await ask(key, "resources/list", {}, true);
  expect(listed.body.result).toMatchObject({ cacheScope: "private" });
  const read = await ask(key, "resources/read", { uri: "waypost://models" }, true);
  expect(read.body.result).toMatchObject({ cacheScope: "private", ttlMs: 0 });
});

it("says what it offers: capabilities by era, an icon that loads, and five lines of instructions", async () => {
  const { key } = await account();
  const { body } = await ask(key, "server/discover", {}, true);
  expect(body.result.capabilities).toEqual({
    tools: {},
    resources: { subscribe: true, listChanged: true },
    prompts: { listChanged: true },
    completions: {},
  });
  const [icon] = body.result._meta["io.modelcontextprotocol/serverInfo"].icons;
  const svg = await rest(null, "GET", new URL(icon.src).pathname);
  expect([svg.status, svg.headers.get("content-type")]).toEqual([200, icon.mimeType]);
  expect(svg.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
  expect(body.result.instructions.trim().split("\n")).toHaveLength(5);
  const client = await agentOf2025(key);
  // Outside a session nothing can be told, so nothing is promised.
  expect(client.getServerCapabilities()).toEqual({ tools: {}, resources: {}, prompts: {}, completions: {} });
  await client.close();
});
