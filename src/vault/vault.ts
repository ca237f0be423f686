import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import { ok, type Result } from "../errors.ts";
import * as changes from "./changes.ts";
import * as documents from "./documents.ts";
import * as retrieval from "./retrieval.ts";
import * as sessions from "./sessions.ts";
import * as sync from "./sync.ts";
import type * as T from "./types.ts";

/**
 * Everything one account owns, in one SQLite store, behind one change log.
 * This class only names what can be asked; each concern lives in a module of functions over the storage.
 */
export class Vault extends DurableObject<Env> implements T.VaultApi {
  readonly #storage: DurableObjectStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#storage = ctx.storage;
    ctx.storage.transactionSync(() => {
      changes.createSchema(ctx.storage);
      sessions.createSchema(ctx.storage);
      sync.createSchema(ctx.storage);
      documents.createSchema(ctx.storage);
      retrieval.createSchema(ctx.storage);
    });
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

  async search(request: T.SearchRequest): Promise<Result<T.SearchReply>> {
    return retrieval.search(this.#storage, request);
  }

  async fetchItem(id: string, window?: T.TextWindow): Promise<Result<T.FetchedItem>> {
    return retrieval.fetchItem(this.#storage, id, window);
  }

  async ping(): Promise<Result<T.Cursor>> {
    return ok(changes.head(this.#storage));
  }
}
