import type { ErrorCode } from "../../src/errors.ts";
import { rest } from "./client.ts";
import { priceOf } from "./provider.ts";

/** One call that must come to the same through every door. */
export interface Row {
  tool: string;
  what: string;
  input: Record<string, unknown>;
  /** Puts the account in the state the call needs. */
  seed?: (key: string) => Promise<void>;
  /** The error it must end with; absent: it succeeds. */
  fails?: ErrorCode;
  /** Nano-USD; absent: nothing. */
  costs?: number;
  /** What the text channel must name. */
  mentions?: string[];
}

const document = { id: "guide/tides", title: "Tides", text: "# Tides\n\nThe harbour floods at spring tide.\n" };
const user = (id: string, content: string) => ({ id, role: "user", content, created_at: "2026-01-31T12:00:00Z" });

async function withDocument(key: string): Promise<void> {
  await seeded(rest(key, "POST", "/v1/documents", { documents: [document] }));
}

async function withSession(key: string): Promise<void> {
  const push = [
    { id: "m1", kind: "session.create", session_id: "trip", title: "Trip to the coast" },
    { id: "m2", kind: "message.append", session_id: "trip", messages: [user("msg-1", "When does the harbour flood?")] },
  ];
  await seeded(rest(key, "POST", "/v1/sync", { device_id: "laptop", push }));
}

async function seeded(reply: ReturnType<typeof rest>): Promise<void> {
  const { status, body } = await reply;
  if (status !== 200) throw new Error(`the account was not set up: ${JSON.stringify(body)}`);
}

const priced = (model: string, input: number, output: number): Row => ({
  tool: "chat",
  what: `${model}, ${input} tokens in and ${output} out`,
  input: { message: "How high is the tide?", model: `paid/${model}` },
  costs: priceOf({ input, output }),
  mentions: [`paid/${model}`],
});

export const rows: readonly Row[] = [
  priced("tokens-1-1", 1, 1),
  priced("tokens-1000-500", 1000, 500),
  {
    tool: "chat",
    what: "in a session, grounded, with a priced model",
    input: { message: "spring tide", model: "paid/tokens-7-3", session_id: "s-1", grounding: true },
    seed: withDocument,
    costs: priceOf({ input: 7, output: 3 }),
    mentions: ["guide/tides~0", "paid/tokens-7-3"],
  },
  {
    tool: "chat",
    what: "with the embedded model",
    input: { message: "When does the harbour flood?" },
    seed: withDocument,
    mentions: ["guide/tides~0", "local/extractive"],
  },
  {
    tool: "chat",
    what: "with an unknown model",
    input: { message: "hi", model: "nobody/none" },
    fails: "model_unknown",
  },
  { tool: "chat", what: "without a price", input: { message: "hi", model: "paid/unpriced" }, fails: "model_unpriced" },
  { tool: "chat", what: "with nothing to say", input: {}, fails: "invalid_input" },
  {
    tool: "chat",
    what: "a failing provider",
    input: { message: "hi", model: "paid/fail-500" },
    fails: "provider_failed",
  },
  {
    tool: "chat",
    what: "a provider whose stream breaks",
    input: { message: "one two three four", model: "paid/cut-mid-stream" },
    fails: "provider_failed",
  },
  {
    tool: "search",
    what: "a document and a message",
    input: { query: "harbour flood" },
    seed: async (key) => {
      await withDocument(key);
      await withSession(key);
    },
    mentions: ["guide/tides~0", "msg:msg-1"],
  },
  { tool: "search", what: "nothing found", input: { query: "volcano" }, mentions: ["Nothing found"] },
  { tool: "search", what: "a limit out of range", input: { query: "x", limit: 51 }, fails: "invalid_input" },
  { tool: "fetch", what: "a document", input: { id: "guide/tides" }, seed: withDocument, mentions: ["guide/tides"] },
  { tool: "fetch", what: "a passage", input: { id: "guide/tides~0" }, seed: withDocument, mentions: ["guide/tides~0"] },
  { tool: "fetch", what: "a message", input: { id: "msg:msg-1" }, seed: withSession, mentions: ["msg:msg-1"] },
  { tool: "fetch", what: "an unknown id", input: { id: "no/such" }, fails: "not_found" },
  {
    tool: "add_documents",
    what: "a new one and one that replaces",
    input: { documents: [{ ...document, text: "New text." }, { text: "No id of its own." }] },
    seed: withDocument,
    mentions: ["guide/tides", "doc_"],
  },
  { tool: "add_documents", what: "none", input: { documents: [] }, fails: "invalid_input" },
  {
    tool: "add_documents",
    what: "one good, one binary",
    input: { documents: [document, { id: "b", text: "\u0000\u0001\u0002\u0003" }] },
    fails: "invalid_input",
  },
  { tool: "delete_document", what: "one", input: { id: document.id }, seed: withDocument, mentions: [document.id] },
  { tool: "delete_document", what: "an unknown one", input: { id: "no/such" }, fails: "not_found" },
  {
    tool: "sync_session",
    what: "pull all",
    input: {},
    seed: withSession,
    mentions: ["trip", "msg-1", "When does the harbour flood?"],
  },
  {
    tool: "sync_session",
    what: "push and pull",
    input: {
      device_id: "phone",
      push: [
        { id: "p1", kind: "session.update", session_id: "trip", base_seq: 2, title: "Trip to the sea" },
        { id: "p2", kind: "message.append", session_id: "trip", messages: [user("msg-2", "And at neap tide?")] },
        { id: "p3", kind: "session.delete", session_id: "absent" },
      ],
    },
    seed: withSession,
    mentions: ["p1", "p2", "p3", "msg-2"],
  },
  {
    tool: "sync_session",
    what: "a push without a device",
    input: { push: [{ id: "p1", kind: "session.create", session_id: "x" }] },
    fails: "invalid_input",
  },
  {
    tool: "sync_session",
    what: "a cursor of another history",
    input: { cursor: { epoch: "elsewhere", seq: 1 } },
    fails: "resync_required",
  },
  { tool: "list_sessions", what: "all", input: {}, seed: withSession, mentions: ["trip", "Trip to the coast"] },
  { tool: "list_sessions", what: "a page", input: { limit: 1 }, seed: withSession, mentions: ["trip"] },
  { tool: "list_sessions", what: "too many", input: { limit: 101 }, fails: "invalid_input" },
  { tool: "usage", what: "this month", input: { recent: 3 }, seed: withSession, mentions: ["sync_session", "call_"] },
  { tool: "usage", what: "a month without calls", input: { month: "2020-01", recent: 0 }, mentions: ["2020-01"] },
  {
    tool: "usage",
    what: "a range by tool",
    input: { from: "2026-01", group_by: ["tool"] },
    seed: withSession,
    mentions: ["by tool", "sync_session"],
  },
  { tool: "usage", what: "a call that is not there", input: { call_id: "call_none" }, fails: "not_found" },
  { tool: "usage", what: "a range of two years", input: { from: "2024-01", to: "2025-12" }, fails: "invalid_input" },
  { tool: "usage", what: "not a month", input: { month: "January" }, fails: "invalid_input" },
  {
    tool: "whoami",
    what: "by a key",
    input: {},
    seed: withSession,
    mentions: ["usr_", "key_", "enterprise", "search"],
  },
  { tool: "whoami", what: "somebody else", input: { user: "usr_0000000000000000" }, fails: "invalid_input" },
];
