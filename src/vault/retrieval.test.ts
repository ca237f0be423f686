import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { message, openVault, pushOne } from "../../test/worker/vault.ts";
import { unwrap } from "../errors.ts";
import { prepare } from "../search/prepare.ts";
import { stem } from "../search/stem.ts";
import type { SearchRequest, VaultApi } from "./types.ts";

const put = async (vault: VaultApi, id: string, text: string, metadata: Record<string, unknown> = {}, title?: string) =>
  unwrap(
    await vault.putDocument({
      ...(await prepare({ id, text, title })),
      id,
      url: null,
      sha256: text,
      bytes: 1,
      metadata,
    }),
  );

const search = async (vault: VaultApi, query: string, over: Partial<SearchRequest> = {}) =>
  unwrap(await vault.search({ query, limit: 10, kinds: ["document", "message"], ...over }));
const ids = async (vault: VaultApi, query: string, over: Partial<SearchRequest> = {}) =>
  (await search(vault, query, over)).hits.map(({ id }) => id);

async function say(vault: VaultApi, sessionId: string, contents: string[], title = sessionId): Promise<void> {
  await pushOne(vault, "d", { id: `c-${sessionId}`, kind: "session.create", session_id: sessionId, title });
  const messages = contents.map((content, i) =>
    message(`${sessionId}-${i}`, { content, role: i % 2 ? "assistant" : "user" }),
  );
  await pushOne(vault, "d", { id: `a-${sessionId}`, kind: "message.append", session_id: sessionId, messages });
}

const ten = Array.from({ length: 10 }, (_, i) => `ordinary words number ${i}`);

describe("search", () => {
  it("finds any of the words, in any inflection, and ranks title and rare words first", async () => {
    const { vault } = openVault();
    await put(vault, "body", "Penguins are mentioned here once among other things.");
    await put(vault, "title", "Other things altogether.", {}, "Penguin");
    await put(vault, "none", "Nothing of the kind.");
    const { hits, arms, candidates } = await search(vault, "a penguin and unheard-of words");
    expect(hits.map(({ id }) => id)).toEqual(["title~0", "body~0"]);
    expect(hits[1]).toMatchObject({
      kind: "document",
      document_id: "body",
      session_id: null,
      url: "waypost://documents/body",
      matched: ["penguin"],
      snippet: "Penguins are mentioned here once among other things.",
      start: 0,
      end: 52,
    });
    expect([arms, candidates]).toEqual([["bm25", "proximity"], 2]);
  });

  it("finds parts of identifiers and of words written without spaces", async () => {
    const { vault } = openVault();
    await put(vault, "a.ts", "export const fetchUserProfile = () => {};");
    await put(vault, "b.py", "def parse_log_line(): pass");
    await put(vault, "c", "東京都の天気");
    expect(await ids(vault, "user profile")).toEqual(["a.ts~0"]);
    expect(await ids(vault, "parseLogLine")).toEqual(["b.py~0"]);
    expect(await ids(vault, "天気")).toEqual(["c~0"]);
  });

  it("understands short code by what stands beside it", async () => {
    const { vault } = openVault();
    const functions = Array.from({ length: 80 }, (_, i) => `function number${i}() {\n  return compute(${i});\n}\n\n`);
    functions[40] = "// quaternion slerp\n\n";
    await put(vault, "a.ts", functions.join(""));
    const hits = await ids(vault, "quaternion");
    expect(hits.length).toBe(3);
  });

  it.each([
    "",
    " ",
    '"',
    "NEAR(a b",
    "title:x",
    "* OR *",
    "a AND",
    "-a ^b",
    "'; DROP TABLE passages; --",
    "\u0000",
    "\uD83D",
    "𝒜",
    "the of and",
  ])("is safe with %j", async (query) => {
    const { vault } = openVault();
    await put(vault, "a", "the title of a and b near x");
    expect((await vault.search({ query, limit: 10, kinds: ["document"] })).ok).toBe(true);
    expect(await ids(vault, "title")).toEqual(["a~0"]);
  });

  it("is safe with 100 kB of words, repeats and no spaces", async () => {
    const { vault } = openVault();
    await put(vault, "a", "zebra w1 w2");
    const many = Array.from({ length: 17_000 }, (_, i) => `w${i}`).join(" ");
    for (const query of [
      many,
      "zebra ".repeat(17_000),
      `zebra ${"x".repeat(100_000)}`,
      `zebra ${"a_B".repeat(33_000)}`,
    ]) {
      expect(await ids(vault, query)).toEqual(["a~0"]);
    }
  });

  it("gives an answer to more than one document", async () => {
    const { vault } = openVault();
    await put(vault, "long", `zebra zebra zebra\n\n${"Zebra stripes and zebra manes. ".repeat(400)}`);
    await put(vault, "short", `${"Many other words stand here. ".repeat(20)} zebra`);
    const hits = (await search(vault, "zebra", { limit: 5 })).hits;
    expect(hits).toHaveLength(5);
    expect(hits.map(({ document_id }) => document_id)).toContain("short");
    expect(hits.map(({ score }) => score)).toEqual(hits.map(({ score }) => score).sort((a, b) => b - a));
  });

  it("shortens the snippets of a long answer", async () => {
    const { vault } = openVault();
    for (let i = 0; i < 30; i++) await put(vault, `d${i}`, `${"some words and ".repeat(50)} zebra ${i}`);
    const { hits } = await search(vault, "zebra", { limit: 50 });
    expect(hits).toHaveLength(30);
    expect(hits.reduce((sum, { snippet }) => sum + snippet.length, 0)).toBeLessThan(30 * 130);
  });
});

describe("what a search may see", () => {
  async function open() {
    const { vault } = openVault();
    await put(vault, "d1", "zebra one", { lang: "en", year: 2026, draft: true, 'a.b"c': "x" });
    await put(vault, "d2", "zebra two", { lang: "de", year: "2026", draft: 1 });
    await say(vault, "s1", ["zebra three", ...ten]);
    await say(vault, "s2", ["zebra four", ...ten]);
    return vault;
  }
  const documents = ["d1~0", "d2~0"];
  const messages = ["msg:s1-0", "msg:s2-0"];

  it.each<[string, Partial<SearchRequest>, string[]]>([
    ["everything", {}, [...documents, ...messages]],
    ["documents", { kinds: ["document"] }, documents],
    ["messages", { kinds: ["message"] }, messages],
    ["one document", { document_ids: ["d2", "absent"] }, ["d2~0"]],
    ["no document", { document_ids: [] }, []],
    ["one session", { session_id: "s2" }, ["msg:s2-0"]],
    ["one document and one session", { document_ids: ["d1"], session_id: "s1" }, ["d1~0", "msg:s1-0"]],
    ["documents by session", { kinds: ["document"], session_id: "s1" }, []],
    ["messages by document", { kinds: ["message"], document_ids: ["d1"] }, []],
    ["text values", { filter: { lang: "de" } }, ["d2~0"]],
    ["number values", { filter: { year: 2026 } }, ["d1~0"]],
    ["truth values", { filter: { draft: true } }, ["d1~0"]],
    ["all of several values", { filter: { lang: "en", year: "2026" } }, []],
    ["keys of any form", { filter: { 'a.b"c': "x" } }, ["d1~0"]],
    ["absent keys", { filter: { "$.lang": "en" } }, []],
    ["an empty filter", { filter: {} }, documents],
  ])("%s", async (_name, over, expected) => {
    const vault = await open();
    expect((await ids(vault, "zebra", over)).filter((id) => !/-[1-9]/.test(id)).sort()).toEqual([...expected].sort());
  });

  it("is one account's", async () => {
    await open();
    expect(await ids(openVault().vault, "zebra")).toEqual([]);
  });
});

describe("messages", () => {
  it("are found, show their session's present title, and are read", async () => {
    const { vault } = openVault();
    await say(vault, "s", ["where do zebras live"], "Animals");
    const [created] = unwrap(await vault.listSessions({ limit: 1 })).sessions;
    const update = {
      id: "u",
      kind: "session.update",
      session_id: "s",
      base_seq: created?.seq ?? 0,
      title: "Stripes",
    } as const;
    await pushOne(vault, "d", update);
    const [hit] = (await search(vault, "zebra")).hits;
    expect(hit).toMatchObject({ id: "msg:s-0", kind: "message", title: "Stripes", heading: "user", session_id: "s" });
    expect(hit).toMatchObject({ document_id: null, url: "waypost://sessions/s", text: "where do zebras live" });
    expect(unwrap(await vault.fetchItem("msg:s-0"))).toMatchObject({
      kind: "message",
      session_id: "s",
      session_title: "Stripes",
      message: { id: "s-0", content: "where do zebras live" },
    });
  });

  it("are found by the words of the two turns on either side, after those by their own", async () => {
    const { vault } = openVault();
    await say(vault, "s", [...ten.slice(0, 4), "where do zebras live", ...ten.slice(5)]);
    const found = await ids(vault, "zebra");
    expect(found[0]).toBe("msg:s-4");
    expect(found.sort()).toEqual(["msg:s-2", "msg:s-3", "msg:s-4", "msg:s-5", "msg:s-6"]);
  });

  it("leave no word behind when they are removed, not even with their neighbours", async () => {
    const { vault, stub } = openVault();
    await say(vault, "s", [...ten.slice(0, 4), "where do zebras live"]);
    await pushOne(vault, "d", { id: "later", kind: "message.append", session_id: "s", messages: [message("tail")] });
    const { removeMessage } = await import("./message_index.ts");
    await runInDurableObject(stub, (_vault, { storage }) => removeMessage(storage, "s-4"));
    expect(await ids(vault, "zebra")).toEqual([]);
    expect(await ids(vault, "tail")).not.toEqual([]);
    await pushOne(vault, "d", { id: "x", kind: "session.delete", session_id: "s" });
    expect(await ids(vault, "ordinary tail text")).toEqual([]);
  });

  it("that are long are one item, found by any part", async () => {
    const { vault } = openVault();
    await say(vault, "s", [`${"opening words. ".repeat(1_000)} zebra ${"closing words. ".repeat(1_000)} zebra`]);
    const { hits } = await search(vault, "zebra");
    expect(hits.map(({ id }) => id)).toEqual(["msg:s-0"]);
    expect(hits[0]?.snippet).toContain("zebra");
    expect(hits[0]?.start).toBeGreaterThan(10_000);
  });
});

describe("fetching", () => {
  it.each(["absent", "absent~0", "a~9", "a~99999999999999999999", "a~", "~0", "msg:", "msg:absent", "", "a~0~0"])(
    "%j is not_found",
    async (id) => {
      const { vault } = openVault();
      await put(vault, "a", "zebra");
      expect(await vault.fetchItem(id)).toMatchObject({ ok: false, code: "not_found" });
    },
  );
});

describe("the stemmer", () => {
  it("agrees with the index's own", async () => {
    const words = `generalizations oscillators happy hopping hoping falling filing sized agreed feed plastered motoring
      conflated troubled caresses ponies ties cats relational conditional rational valenci digitizer conformably radically
      differently vileli analogously operator feudalism decisiveness hopefulness callousness formaliti sensitiviti
      sensibiliti triplicate formative formalize electriciti electrical goodness revival allowance inference airliner
      gyroscopic adjustable defensible irritant replacement adjustment dependent adoption homologou communism activate
      angulariti effective bowdlerize probate rate cease controll roll ace aging lyase ype syzygy yes play enjoyed x9ing`.split(
      /\s+/,
    );
    const { vault, stub } = openVault();
    for (const [i, word] of words.entries()) await put(vault, `w${i}`, word, {}, "t");
    await runInDurableObject(stub, (_vault, { storage }) => {
      storage.sql.exec("CREATE VIRTUAL TABLE vocabulary USING fts5vocab(passage_index, 'row')");
      const known = new Set(
        storage.sql
          .exec<{ term: string }>("SELECT term FROM vocabulary")
          .toArray()
          .map(({ term }) => term),
      );
      expect(words.filter((word) => !known.has(stem(word)))).toEqual([]);
    });
  });
});
