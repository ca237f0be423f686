import { beforeAll, describe, expect, it } from "vitest";
import { account, owner, type Reply, rest } from "./client.ts";
import { configureModels } from "./provider.ts";
import { type Caller, furnished, problemIn, refused, send, sendMcp, toolCall } from "./refusal.ts";

configureModels();

let who: Caller;
beforeAll(async () => {
  who = await furnished();
});

describe("what belongs to another account", () => {
  let other: Caller;
  let keeper: string;
  beforeAll(async () => {
    other = await account();
    const spec = { account: other.account, name: "keeper", scopes: ["account"] };
    keeper = (await rest(await owner(), "POST", "/v1/keys", spec)).body.api_key;
  });

  /** The answer without what must differ: the id that was asked for, ids of the request and of the call. */
  const shape = (reply: Reply, ...ids: string[]) => {
    let text = JSON.stringify([reply.status, reply.body]);
    for (const id of ids) text = text.replaceAll(id, "<id>");
    return text.replace(/\b(req|call)_[0-9a-z]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "#");
  };

  const things: [string, string, (id: string) => object, string, string][] = [
    ["a document to fetch", "fetch", (id) => ({ id }), "own-document", "non-document"],
    ["a passage", "fetch", (id) => ({ id }), "own-document~0", "non-document~0"],
    ["a message", "fetch", (id) => ({ id }), "msg:msg-own", "msg:msg-non"],
    ["a document to delete", "delete_document", (id) => ({ id }), "own-document", "non-document"],
    ["a session to read", "sync_session", (id) => ({ session_id: id }), "own-session", "non-session"],
    ["a session to search", "search", (id) => ({ query: "private", session_id: id }), "own-session", "non-session"],
    [
      "a document to search",
      "search",
      (id) => ({ query: "private", document_ids: [id] }),
      "own-document",
      "non-document",
    ],
    [
      "a document to ground on",
      "chat",
      (id) => ({ message: "private?", grounding: { document_ids: [id] } }),
      "own-document",
      "non-document",
    ],
  ];
  const PATHS: Record<string, string> = {
    fetch: "/v1/fetch",
    delete_document: "/v1/documents/delete",
    sync_session: "/v1/sync",
    search: "/v1/search",
    chat: "/v1/chat",
  };

  it.each(things)("%s looks like one that does not exist", async (_, tool, input, theirs, nobodys) => {
    const doors: ((id: string) => Promise<Reply>)[] = [
      (id) => send(PATHS[tool] as string, { key: other.key, body: JSON.stringify(input(id)) }),
      (id) => sendMcp(other.key, toolCall(tool, input(id))),
      (id) => sendMcp(other.key, toolCall(tool, input(id), true)),
    ];
    for (const ask of doors) {
      const [found, absent] = [await ask(theirs), await ask(nobodys)];
      expect(shape(found, theirs, nobodys)).toBe(shape(absent, theirs, nobodys));
      expect(JSON.stringify(found.body)).not.toMatch(/private (words|title|text)/);
    }
    expect((await send("/v1/fetch", { key: who.key, body: '{"id":"own-document"}' })).status).toBe(200);
  });

  it("a session of the same name is another session", async () => {
    const chat = { message: "What was said here before?", session_id: "own-session", model: "paid/echo" };
    const reply = await send("/v1/chat", { key: other.key, body: JSON.stringify(chat) });
    expect(reply.status).toBe(200);
    expect(JSON.stringify(reply.body)).not.toContain("private words");
    const pulled = await send("/v1/sync", { key: who.key, body: '{"session_id":"own-session"}' });
    expect(JSON.stringify(pulled.body)).not.toContain("What was said here before?");
  });

  it("a key looks like one that does not exist, and stays good", async () => {
    const remove = (id: string) => send(`/v1/keys/${id}`, { key: keeper, method: "DELETE" });
    const nobodys = "key_0000000000000000";
    await refused({ ...other, key: keeper }, () => remove(who.keyId), "not_found");
    expect(shape(await remove(who.keyId), who.keyId, nobodys)).toBe(shape(await remove(nobodys), who.keyId, nobodys));
    expect((await rest(who.key, "GET", "/v1/usage")).status).toBe(200);
  });

  it("an account looks like one that does not exist", async () => {
    const nobodys = "0000000000000000";
    const asks: ((id: string) => Promise<Reply>)[] = [
      (id) => send(`/v1/keys?account=${id}`, { key: keeper, method: "GET" }),
      (id) => send("/v1/keys", { key: keeper, body: JSON.stringify({ name: "x", account: id }) }),
      (id) => send(`/v1/keys/${who.keyId}?account=${id}`, { key: keeper, method: "DELETE" }),
      (id) => send(`/v1/admin/accounts/${id}`, { key: keeper, method: "GET" }),
    ];
    for (const ask of asks) {
      const found = await ask(who.account);
      expect(shape(found, who.account, nobodys)).toBe(shape(await ask(nobodys), who.account, nobodys));
      expect(problemIn(found).problem.code).toBe("insufficient_scope");
    }
  });
});
