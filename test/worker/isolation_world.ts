import type { Reply } from "./client.ts";
import { rest } from "./client.ts";
import { MCP_HEADERS, send, sendMcp, toolCall } from "./refusal.ts";

/** Many accounts full of marked things, and everything a caller can try on a thing by its id. */

/** One account. Its mark is in every text it stores and nowhere else. */
export interface Resident {
  account: string;
  mark: string;
  keyId: string;
  grant: string;
  /** Credentials that act for it, by kind; each is good at the doors named. */
  credentials: Credential[];
}

export interface Credential {
  kind: string;
  token: string;
  doors: readonly Door[];
}

export type Door = "rest" | "mcp 2026" | "mcp 2025";

/** Ids of a resident's things. */
export const documentOf = (resident: { mark: string }) => `doc-${resident.mark}`;
export const sessionOf = (resident: { mark: string }) => `session-${resident.mark}`;
export const messageOf = (resident: { mark: string }) => `message-${resident.mark}`;

/** Fills an account with a document, a session and a message, all bearing its mark. */
export async function furnish(key: string, mark: string): Promise<void> {
  const owner = { mark };
  const document = { id: documentOf(owner), title: `Title ${mark}`, text: `The ${mark} words are kept here.` };
  const message = {
    id: messageOf(owner),
    role: "user",
    content: `I said ${mark}.`,
    created_at: "2026-01-31T12:00:00Z",
  };
  const push = [
    { id: `a-${mark}`, kind: "session.create", session_id: sessionOf(owner), title: `Talk ${mark}` },
    { id: `b-${mark}`, kind: "message.append", session_id: sessionOf(owner), messages: [message] },
  ];
  for (const reply of [
    await rest(key, "POST", "/v1/documents", { documents: [document] }),
    await rest(key, "POST", "/v1/sync", { device_id: `device-${mark}`, push }),
  ]) {
    if (reply.status !== 200) throw new Error(`an account could not be furnished: ${JSON.stringify(reply.body)}`);
  }
}

/** Something to try on another's thing: the tool with its input, or a route by hand. `thing` is what the id names. */
export interface Attempt {
  name: string;
  /** Which id of the victim it uses. */
  id: (victim: Resident) => string;
  doors: readonly Door[];
  perform: (door: Door, token: string, id: string) => Promise<Reply>;
  /** What the owner gets by it contains the mark. */
  readsMark: boolean;
  /** Kinds of credentials that may do it to their own. */
  ownBy: (kind: string) => boolean;
}

const ALL: readonly Door[] = ["rest", "mcp 2026", "mcp 2025"];

function tool(
  name: string,
  path: string,
  id: (victim: Resident) => string,
  input: (id: string) => object,
  readsMark: boolean,
): Attempt {
  return {
    name,
    id,
    doors: ALL,
    readsMark,
    ownBy: () => true,
    perform: (door, token, wanted) =>
      door === "rest"
        ? send(path, { key: token, body: JSON.stringify(input(wanted)) })
        : sendMcp(token, toolCall(name.split(" ")[0], input(wanted), door === "mcp 2026")),
  };
}

const route = (
  name: string,
  id: (victim: Resident) => string,
  method: string,
  path: (id: string) => string,
): Attempt => ({
  name,
  id,
  doors: ["rest"],
  readsMark: false,
  ownBy: () => false,
  perform: (_, token, wanted) => send(path(wanted), { key: token, method }),
});

export const ATTEMPTS: readonly Attempt[] = [
  tool("fetch document", "/v1/fetch", documentOf, (id) => ({ id }), true),
  tool(
    "fetch passage",
    "/v1/fetch",
    (victim) => `${documentOf(victim)}~0`,
    (id) => ({ id }),
    true,
  ),
  tool(
    "fetch message",
    "/v1/fetch",
    (victim) => `msg:${messageOf(victim)}`,
    (id) => ({ id }),
    true,
  ),
  tool("search document", "/v1/search", documentOf, (id) => ({ query: "words", document_ids: [id] }), true),
  tool("search session", "/v1/search", sessionOf, (id) => ({ query: "said", session_id: id }), true),
  tool("sync_session", "/v1/sync", sessionOf, (id) => ({ session_id: id }), true),
  tool(
    "chat grounded",
    "/v1/chat",
    documentOf,
    (id) => ({ message: "words?", model: "local/extractive", grounding: { document_ids: [id] } }),
    true,
  ),
  route(
    "revoke key",
    (victim) => victim.keyId,
    "DELETE",
    (id) => `/v1/keys/${id}`,
  ),
  route(
    "revoke app",
    (victim) => victim.grant,
    "DELETE",
    (id) => `/v1/me/apps/${id}`,
  ),
  route(
    "keys of account",
    (victim) => victim.account,
    "GET",
    (id) => `/v1/keys?account=${id}`,
  ),
  route(
    "read account",
    (victim) => victim.account,
    "GET",
    (id) => `/v1/admin/accounts/${id}`,
  ),
];

/** A search by words alone, over whatever the caller has: nobody else's mark may come back. */
export const searchAll = (door: Door, token: string, query: string): Promise<Reply> =>
  door === "rest"
    ? send("/v1/search", { key: token, body: JSON.stringify({ query }) })
    : sendMcp(token, toolCall("search", { query }, door === "mcp 2026"), MCP_HEADERS);

/** An answer without what must differ: the id asked for, ids of the request and of the call, times and counters. */
export function shapeOf(reply: Reply, ...ids: string[]): string {
  let text = JSON.stringify([reply.status, reply.body]);
  for (const id of ids) text = text.replaceAll(id, "<id>");
  return text
    .replace(/\b(req|call)_[0-9a-z]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "#")
    .replace(/https?:[^\s"]*\/account\/apps\/[^\s"\\]*/g, "#")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>");
}
