import type { Result } from "../errors.ts";

/** Position in a vault's change log. `epoch` changes when the history was replaced (restore, deletion). */
export interface Cursor {
  epoch: string;
  seq: number;
}

export type Role = "system" | "user" | "assistant" | "tool";

/** One entry of a session. Append-only; `id` is made by the client (a ULID) or derived from the call that wrote it. */
export interface Message {
  id: string;
  parent_id: string | null;
  role: Role;
  content: string;
  /** ISO 8601, the writing device's clock; order is the log's, never this. */
  created_at: string;
  model?: string;
  /** Tool calls, citations and whatever else the client keeps with a message; JSON, at most 64 KiB. */
  metadata?: Record<string, unknown>;
}

export interface SessionContext {
  /** How answers should sound and what matters to the user. */
  framing?: string;
  /** Facts the model should take as given. */
  local_knowledge?: string[];
  constraints?: string[];
}

export interface SessionSummary {
  id: string;
  title: string;
  model_preference: string | null;
  message_count: number;
  created_at: string;
  updated_at: string;
  /** Log position of the last change to this session. */
  seq: number;
}

export interface Session extends SessionSummary {
  context: SessionContext;
  messages: Message[];
  /** Messages before the first one returned. */
  earlier: number;
}

/** What a device asks to happen. `id` is its own (a ULID): repeating it returns the first outcome. */
export type Mutation =
  | {
      id: string;
      kind: "session.create";
      session_id: string;
      title?: string;
      model_preference?: string;
      context?: SessionContext;
    }
  | {
      id: string;
      kind: "session.update";
      session_id: string;
      /** Log position the device last saw this session at; per-field three-way merge against it. */
      base_seq: number;
      title?: string;
      model_preference?: string | null;
      context?: SessionContext;
    }
  /** With `base_seq`: a conflict when another device changed the session since. Without: unconditional. */
  | { id: string; kind: "session.delete"; session_id: string; base_seq?: number }
  /** With `base_seq`: drops only what the device had seen by then or wrote itself. Without: drops every message. */
  | { id: string; kind: "session.clear"; session_id: string; base_seq?: number }
  | { id: string; kind: "message.append"; session_id: string; messages: Message[] };

export type MutationOutcome =
  | { id: string; status: "applied"; seq: number }
  | { id: string; status: "duplicate"; seq: number }
  /** `server`: what stays stored, by field; `yours`: what was sent instead, by field or as the ids of messages not stored. */
  | {
      id: string;
      status: "conflict";
      detail: string;
      server: Record<string, unknown>;
      yours: Record<string, unknown>;
      seq: number;
    }
  | { id: string; status: "refused"; detail: string };

export interface PushRequest {
  device_id: string;
  mutations: Mutation[];
  /** The device's cursor. When it is not from this history (restored vault), nothing is pushed: `resync_required`. */
  cursor?: Cursor;
}
export interface PushReply {
  outcomes: MutationOutcome[];
  cursor: Cursor;
}

/** One entry of the change log with the entity as it is now (null when deleted). */
export type Change =
  | {
      seq: number;
      kind: "session";
      id: string;
      deleted: boolean;
      session: (Omit<SessionSummary, "message_count"> & { context: SessionContext }) | null;
    }
  | { seq: number; kind: "message"; id: string; deleted: boolean; session_id: string; message: Message | null }
  | { seq: number; kind: "document"; id: string; deleted: boolean; document: DocumentSummary | null };

export interface PullRequest {
  /** Absent: from the beginning. */
  cursor?: Cursor;
  /** 1 to 500. */
  limit: number;
  kinds?: Change["kind"][];
  /** Only changes of this session and its messages. */
  session_id?: string;
  /** Stop early, with `more`, when the changes' JSON would exceed this. Default 200,000; one change is always returned. */
  max_bytes?: number;
}
export interface PullReply {
  changes: Change[];
  cursor: Cursor;
  /** True when another pull with the new cursor returns more. */
  more: boolean;
}

export interface ListSessionsRequest {
  limit: number;
  /** Opaque, from the previous page. */
  page?: string;
}
export interface SessionPage {
  sessions: SessionSummary[];
  next_page: string | null;
  total: number;
}

export interface ReadSessionRequest {
  session_id: string;
  /** Newest messages to return at the most, in order. */
  limit: number;
}

/** The messages one chat call adds to a session: what the user said and what was answered, as one unit. */
export interface AppendTurnRequest {
  session_id: string;
  messages: Message[];
  /** Create the session when it does not exist (title from the first user message). */
  create: boolean;
}
export interface AppendTurnReply {
  session_id: string;
  seq: number;
  title: string;
}

export type DocumentFormat = "text" | "markdown" | "code" | "html";

/** A piece of a document as it is indexed: offsets are UTF-16 code units into the document's text. */
export interface Chunk {
  n: number;
  text: string;
  heading: string;
  start: number;
  end: number;
}

export interface PreparedDocument {
  id: string;
  /** What it had as its id in earlier versions: a document of that id and this title keeps it. */
  old_id?: string;
  title: string;
  url: string | null;
  format: DocumentFormat;
  /** Plain text that was chunked (HTML already reduced to text). */
  text: string;
  sha256: string;
  bytes: number;
  metadata: Record<string, unknown>;
  chunks: Chunk[];
}

export interface DocumentSummary {
  id: string;
  title: string;
  url: string | null;
  format: DocumentFormat;
  bytes: number;
  chunks: number;
  revision: number;
  sha256: string;
  metadata: Record<string, unknown>;
  updated_at: string;
}

export interface ListDocumentsRequest {
  limit: number;
  /** Opaque, from the previous page. */
  page?: string;
  /** Only those whose id or title has this in it, whatever the case; looked for in the 5,000 that changed last. */
  match?: string;
}
export interface DocumentPage {
  documents: Pick<DocumentSummary, "id" | "title" | "url" | "format" | "bytes" | "updated_at">[];
  next_page: string | null;
}

export interface PutDocumentOutcome {
  id: string;
  status: "created" | "updated" | "unchanged";
  revision: number;
  chunks: number;
  seq: number;
  /** Original no longer referenced by any document, to be deleted from the blob store. */
  orphan: string | null;
}

export interface DeleteDocumentOutcome {
  id: string;
  deleted: boolean;
  seq: number;
  orphan: string | null;
}

export type HitKind = "document" | "message";

export interface SearchRequest {
  query: string;
  limit: number;
  kinds: HitKind[];
  /** Only these documents. */
  document_ids?: string[];
  /** Only messages of this session. */
  session_id?: string;
  /** Only documents whose metadata has these values (top-level, equality). */
  filter?: Record<string, string | number | boolean>;
}

/** `id` opens with `fetch`: `<document id>~<n>` for a chunk, `msg:<message id>` for a message. */
export interface SearchHit {
  id: string;
  kind: HitKind;
  document_id: string | null;
  session_id: string | null;
  title: string;
  heading: string;
  url: string;
  snippet: string;
  /** Text of the whole chunk or message. */
  text: string;
  /** Relevance, larger is better; comparable within one answer only. */
  score: number;
  /** Query words found in it, folded; of words in scripts without spaces, the parts that were. */
  matched: string[];
  start: number;
  end: number;
}

export interface SearchReply {
  hits: SearchHit[];
  /** Which retrieval arms served the answer, e.g. ["bm25", "proximity"]. */
  arms: string[];
  /** Candidates before the cut. */
  candidates: number;
}

/** Part of a text, in UTF-16 code units. */
export interface TextWindow {
  offset: number;
  length: number;
}

export type FetchedItem =
  /** `length`: characters of the whole text, of which `text` is the part that was asked for. */
  | { kind: "document"; document: DocumentSummary; text: string; length: number }
  | { kind: "chunk"; document: DocumentSummary; chunk: Chunk; chunk_count: number }
  | { kind: "message"; session_id: string; session_title: string; message: Message };

/** A variable of a prompt template; without a default it must be given. */
export interface TemplateVariable {
  name: string;
  description: string;
  default?: string;
}

export interface SaveTemplate {
  name: string;
  title: string;
  description: string;
  text: string;
  variables: TemplateVariable[];
}

/** One version of a prompt template. `newest`: the number of the last version. */
export interface PromptTemplate extends SaveTemplate {
  version: number;
  newest: number;
  created_at: string;
}

export type TemplateSummary = Omit<PromptTemplate, "text" | "newest">;

/** An answer of a model as the response cache keeps it: with placeholders where the prompt had them. */
export interface CachedAnswer {
  text: string;
  /** Tokens by class that the answer took when it was made. */
  usage: Record<string, number>;
  estimated: boolean;
}

export interface KeptAnswer {
  /** SHA-256 of the model and all that went to it. */
  key: string;
  answer: CachedAnswer;
  ttlMs: number;
}

/** A call that moderation stopped. */
export interface NewFlag {
  id: string;
  /** ISO 8601. */
  at: string;
  call_id: string;
  side: "input" | "output";
  /** The moderator's own codes. */
  categories: string[];
  moderator: string;
  /** The model that was to answer, or did. */
  model: string;
  /** The text that was judged, redacted as the call was; null unless the account keeps it. */
  content: string | null;
}

export interface ModerationFlag extends NewFlag {
  review: { verdict: "upheld" | "mistaken"; note: string | null; reviewer: string; at: string } | null;
}

export interface ListFlagsRequest {
  limit: number;
  /** From the previous page's `next`. */
  before?: number;
  reviewed?: boolean;
}

export interface ReviewFlagRequest {
  id: string;
  verdict: "upheld" | "mistaken";
  note: string | null;
  reviewer: string;
  at: string;
}

/** What the Vault object offers over RPC. Failures come back as values; see `Result`. */
export interface VaultApi {
  push(request: PushRequest): Promise<Result<PushReply>>;
  pull(request: PullRequest): Promise<Result<PullReply>>;
  listSessions(request: ListSessionsRequest): Promise<Result<SessionPage>>;
  readSession(request: ReadSessionRequest): Promise<Result<Session>>;
  appendTurn(request: AppendTurnRequest): Promise<Result<AppendTurnReply>>;
  putDocument(document: PreparedDocument): Promise<Result<PutDocumentOutcome>>;
  deleteDocument(id: string): Promise<Result<DeleteDocumentOutcome>>;
  listDocuments(request: ListDocumentsRequest): Promise<Result<DocumentPage>>;
  search(request: SearchRequest): Promise<Result<SearchReply>>;
  /** With `window`, a document's text comes from `offset` on in whole passages, at most `length` characters (at least one passage). */
  fetchItem(id: string, window?: TextWindow): Promise<Result<FetchedItem>>;
  /** Stores a new version of a prompt template. */
  saveTemplate(template: SaveTemplate): Promise<Result<PromptTemplate>>;
  listTemplates(): Promise<Result<TemplateSummary[]>>;
  readTemplate(name: string, version?: number): Promise<Result<PromptTemplate>>;
  deleteTemplate(name: string): Promise<Result<{ name: string; versions: number }>>;
  /** The answer kept under a key and not expired, or null. */
  cachedAnswer(key: string): Promise<Result<CachedAnswer | null>>;
  /** Returns whether it was kept: one that is too large is not. */
  keepAnswer(answer: KeptAnswer): Promise<Result<boolean>>;
  addFlag(flag: NewFlag): Promise<Result<{ id: string }>>;
  listFlags(request: ListFlagsRequest): Promise<Result<{ flags: ModerationFlag[]; next: number | null }>>;
  reviewFlag(request: ReviewFlagRequest): Promise<Result<ModerationFlag>>;
  /** Answers when the store does. */
  ping(): Promise<Result<Cursor>>;
}
