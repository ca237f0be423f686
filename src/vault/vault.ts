import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import * as changes from "./changes.ts";
import * as documentList from "./document_list.ts";
import * as documents from "./documents.ts";
import * as moderationLog from "./moderation_log.ts";
import { hasOldIndex } from "./old_index.ts";
import { reindexSlice } from "./reindex.ts";
import * as responseCache from "./response_cache.ts";
import * as retrieval from "./retrieval.ts";
import * as sessions from "./sessions.ts";
import * as sync from "./sync.ts";
import * as templates from "./templates.ts";
import type * as T from "./types.ts";
import { Watchers } from "./watchers.ts";

/**
 * Everything one account owns, in one SQLite store, behind one change log.
 * This class only names what can be asked; each concern lives in a module of functions over the storage.
 */
export class Vault extends DurableObject<Env> implements T.VaultApi {
  readonly #storage: DurableObjectStorage;
  readonly #watchers: Watchers;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#storage = ctx.storage;
    ctx.storage.transactionSync(() => {
      changes.createSchema(ctx.storage);
      sessions.createSchema(ctx.storage);
      sync.createSchema(ctx.storage);
      documents.createSchema(ctx.storage);
      documentList.createSchema(ctx.storage);
      retrieval.createSchema(ctx.storage);
      responseCache.createSchema(ctx.storage);
      moderationLog.createSchema(ctx.storage);
      templates.createSchema(ctx.storage);
    });
    // One alarm serves all: it sets itself again for what else is due.
    if (hasOldIndex(ctx.storage)) ctx.blockConcurrencyWhile(() => ctx.storage.setAlarm(Date.now()));
    this.#watchers = new Watchers(ctx);
    changes.onRecord(ctx.storage, () => this.#watchers.changed());
  }

  async push(request: T.PushRequest): Promise<Result<T.PushReply>> {
    return sync.push(this.#storage, request);
  }

  async pull(request: T.PullRequest): Promise<Result<T.PullReply>> {
    return sync.pull(this.#storage, request);
  }

  async listSessions(request: T.ListSessionsRequest): Promise<Result<T.SessionPage>> {
    return sessions.listSessions(this.#storage, request);
  }

  async readSession(request: T.ReadSessionRequest): Promise<Result<T.Session>> {
    return sessions.readSession(this.#storage, request);
  }

  async appendTurn(request: T.AppendTurnRequest): Promise<Result<T.AppendTurnReply>> {
    return sessions.appendTurn(this.#storage, request);
  }

  async putDocument(document: T.PreparedDocument): Promise<Result<T.PutDocumentOutcome>> {
    return documents.putDocument(this.#storage, document);
  }

  async deleteDocument(id: string): Promise<Result<T.DeleteDocumentOutcome>> {
    return documents.deleteDocument(this.#storage, id);
  }

  async listDocuments(request: T.ListDocumentsRequest): Promise<Result<T.DocumentPage>> {
    return documentList.listDocuments(this.#storage, request);
  }

  async search(request: T.SearchRequest): Promise<Result<T.SearchReply>> {
    return retrieval.search(this.#storage, request);
  }

  async fetchItem(id: string, window?: T.TextWindow): Promise<Result<T.FetchedItem>> {
    return retrieval.fetchItem(this.#storage, id, window);
  }

  async saveTemplate(template: T.SaveTemplate): Promise<Result<T.PromptTemplate>> {
    const saved = templates.saveTemplate(this.#storage, template);
    if (saved.ok) this.#watchers.templatesChanged();
    return saved;
  }

  async listTemplates(): Promise<Result<T.TemplateSummary[]>> {
    return templates.listTemplates(this.#storage);
  }

  async readTemplate(name: string, version?: number): Promise<Result<T.PromptTemplate>> {
    return templates.readTemplate(this.#storage, name, version);
  }

  async deleteTemplate(name: string): Promise<Result<{ name: string; versions: number }>> {
    const deleted = templates.deleteTemplate(this.#storage, name);
    if (deleted.ok) this.#watchers.templatesChanged();
    return deleted;
  }

  async cachedAnswer(key: string): Promise<Result<T.CachedAnswer | null>> {
    return responseCache.cachedAnswer(this.#storage, key, Date.now());
  }

  async keepAnswer(answer: T.KeptAnswer): Promise<Result<boolean>> {
    const kept = responseCache.keepAnswer(this.#storage, answer, Date.now());
    if ((await this.#storage.getAlarm()) === null) await this.#storage.setAlarm(Date.now() + answer.ttlMs);
    return kept;
  }

  async addFlag(flag: T.NewFlag): Promise<Result<{ id: string }>> {
    return moderationLog.addFlag(this.#storage, flag);
  }

  async listFlags(request: T.ListFlagsRequest): Promise<Result<{ flags: T.ModerationFlag[]; next: number | null }>> {
    return moderationLog.listFlags(this.#storage, request);
  }

  async reviewFlag(request: T.ReviewFlagRequest): Promise<Result<T.ModerationFlag>> {
    return moderationLog.reviewFlag(this.#storage, request);
  }

  /** Clears, in slices, what has had its time; moves what an older version indexed to the index of now. */
  override async alarm(): Promise<void> {
    const next = responseCache.purgeAnswers(this.#storage, Date.now());
    if (next !== null) await this.#storage.setAlarm(next);
    const more = this.#storage.transactionSync(() => reindexSlice(this.#storage));
    if (more) await this.#storage.setAlarm(Date.now());
  }

  /** A WebSocket for one who watches what changes; see `watch.ts`. */
  override async fetch(request: Request): Promise<Response> {
    return this.#watchers.accept(request);
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    // 1005 and 1006 say that no code was sent; they cannot be sent back.
    if (socket.readyState !== WebSocket.CLOSED) socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }

  async ping(): Promise<Result<T.Cursor>> {
    return ok(changes.head(this.#storage));
  }
}
