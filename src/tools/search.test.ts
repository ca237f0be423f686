import { describe, expect, it } from "vitest";
import { openCall } from "../../test/worker/document_call.ts";
import { message, pushOne } from "../../test/worker/vault.ts";
import { addDocuments } from "./add_documents.ts";
import type { Call } from "./define.ts";
import { fetch } from "./fetch.ts";
import { search } from "./search.ts";

const add = (call: Call, ...documents: unknown[]) => addDocuments.run(call, addDocuments.input.parse({ documents }));
const find = (call: Call, input: object) => search.run(call, search.input.parse(input));
const read = (call: Call, input: object) => fetch.run(call, fetch.input.parse(input));

async function say(call: Call, content: string): Promise<void> {
  await pushOne(call.vault, "d", { id: "1", kind: "session.create", session_id: "s-1", title: "Animals" });
  await pushOne(call.vault, "d", {
    id: "2",
    kind: "message.append",
    session_id: "s-1",
    messages: [message("m", { content })],
  });
}

describe("search", () => {
  it("needs no more than a query, and answers what its schema says", async () => {
    const { call } = openCall();
    const url = "https://example.org/zebras";
    const body = "Zebras sleep at night. ".repeat(20);
    await add(
      call,
      { id: "a/b c.md", text: `# Animals\n\n${body}\n\n# Hours\n\n${body}` },
      { id: "u", text: "A zebra.", url },
    );
    await say(call, "the zebra I saw");
    const output = await find(call, { query: "zebra" });
    expect(search.output.parse(output)).toEqual(output);
    expect(output.arms).toEqual(["bm25", "proximity"]);
    const byId = new Map(output.results.map((result) => [result.id, result]));
    expect([...byId.keys()].sort()).toEqual(["a/b c.md~0", "a/b c.md~1", "msg:m", "u~0"]);
    expect(byId.get("a/b c.md~1")).toMatchObject({
      kind: "document",
      title: "Animals",
      document_id: "a/b c.md",
      url: "waypost://documents/a%2Fb%20c.md",
      place: { heading: "Hours" },
      matched: ["zebra"],
    });
    expect(byId.get("u~0")?.url).toBe(url);
    expect(byId.get("msg:m")).toMatchObject({
      kind: "message",
      title: "Animals",
      session_id: "s-1",
      url: "waypost://sessions/s-1",
    });
    const text = search.text(output);
    for (const { id, url: link, snippet } of output.results)
      expect(text).toContain(`id: ${id}\nurl: ${link}\n${snippet}`);
  });

  it("says so when there is nothing", async () => {
    const output = await find(openCall().call, { query: "zebra" });
    expect(output.results).toEqual([]);
    expect(search.text(output)).toMatch(/^Nothing found/);
  });

  it("passes limit and restrictions on", async () => {
    const { call } = openCall();
    await add(
      call,
      { id: "a", text: "zebra one", metadata: { n: 1 } },
      { id: "b", text: "zebra two", metadata: { n: 2 } },
    );
    await say(call, "zebra three");
    const ids = async (input: object) => (await find(call, { query: "zebra", ...input })).results.map(({ id }) => id);
    expect(await ids({ limit: 1 })).toHaveLength(1);
    expect(await ids({ filter: { n: 2 } })).toEqual(["b~0"]);
    expect(await ids({ document_ids: ["a"] })).toEqual(["a~0"]);
    expect(await ids({ kinds: ["message"] })).toEqual(["msg:m"]);
    expect(await ids({ session_id: "s-1" })).toEqual(["msg:m"]);
  });

  it.each([
    {},
    { query: 1 },
    { query: "x".repeat(131_073) },
    { query: "x", limit: 0 },
    { query: "x", limit: 51 },
    { query: "x", kinds: [] },
    { query: "x", kinds: ["session"] },
    { query: "x", filter: { a: [1] } },
    { query: "x", filter: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, i])) },
    { query: "x", top_k: 3 },
  ])("does not accept %j", (input) => {
    expect(search.input.safeParse(input).success).toBe(false);
  });
});

describe("fetch", () => {
  it("reads what search returns, in the shape agents expect", async () => {
    const { call } = openCall();
    await add(call, { id: "a", text: "A zebra.", url: "https://example.org/", metadata: { n: 1 } });
    await say(call, "the zebra I saw");
    const passage = await read(call, { id: "a~0" });
    expect(fetch.output.parse(passage)).toEqual(passage);
    expect(passage).toMatchObject({
      id: "a~0",
      kind: "passage",
      title: "A zebra.",
      text: "A zebra.",
      url: "https://example.org/",
    });
    expect(passage.metadata).toMatchObject({ n: 1, document_id: "a", passage: 0, passages: 1 });
    expect(await read(call, { id: "a" })).toMatchObject({
      id: "a",
      kind: "document",
      metadata: { n: 1 },
      next_offset: null,
    });
    const said = await read(call, { id: "msg:m" });
    expect(said).toMatchObject({
      kind: "message",
      title: "Animals",
      text: "the zebra I saw",
      url: "waypost://sessions/s-1",
    });
    expect(said.metadata).toMatchObject({ session_id: "s-1", role: "user" });
    expect(fetch.text(said)).toBe("Animals\nmessage msg:m\nwaypost://sessions/s-1\n\nthe zebra I saw");
    await expect(read(call, { id: "absent" })).rejects.toMatchObject({ code: "not_found" });
  });

  const long = Array.from({ length: 3_000 }, (_, i) => `Line ${i} of a long text 😀.`).join("\n");
  it.each([
    ["document", long, "a"],
    ["message", long, "msg:m"],
    ["message of one line", "😀".repeat(30_000), "msg:m"],
  ])("gives a long %s in parts that make the whole", async (_kind, text, id) => {
    const { call } = openCall();
    if (id === "a") await add(call, { id, text });
    else await say(call, text);
    let whole = "";
    let offset: number | null = 0;
    while (offset !== null) {
      const output: Awaited<ReturnType<typeof read>> = await read(call, { id, offset });
      expect(output.text.length).toBeLessThanOrEqual(20_000);
      expect(output.text.isWellFormed()).toBe(true);
      if (output.next_offset !== null) expect(fetch.text(output)).toContain(`"offset":${output.next_offset}}`);
      whole += output.text;
      offset = output.next_offset;
    }
    expect(whole).toBe(text);
    expect(await read(call, { id, offset: 1_000_000 })).toMatchObject({
      text: "",
      next_offset: null,
      length: text.length,
    });
  });

  it.each([{}, { id: "" }, { id: "a", offset: -1 }, { id: "a", offset: 0.5 }, { id: "a", page: 2 }])(
    "does not accept %j",
    (input) => {
      expect(fetch.input.safeParse(input).success).toBe(false);
    },
  );
});
