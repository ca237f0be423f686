import { AuthorizationError } from "@cloudflare/workers-oauth-provider";
import type { Env } from "../../env.ts";
import type { AuthStore } from "../store/auth_store.ts";

/** What the library keeps its records in: the part of KV's interface that it uses. Times are in seconds. */
export interface OAuthStorage {
  get(name: string): Promise<string | null>;
  get(name: string, options: { type: "json" }): Promise<unknown>;
  put(name: string, value: string, options?: PutOptions): Promise<void>;
  delete(name: string): Promise<void>;
  list(options: { prefix: string; limit?: number; cursor?: string }): Promise<ListResult>;
}

interface PutOptions {
  /** Seconds since the epoch. */
  expiration?: number;
  expirationTtl?: number;
  metadata?: unknown;
}

interface ListResult {
  keys: { name: string; expiration?: number; metadata?: unknown }[];
  list_complete: boolean;
  cursor?: string;
}

type Store = Pick<AuthStore, "read" | "write" | "writeNew" | "remove" | "names">;

const PAGE = 1_000;
const TRANSACTION = "transaction:";
const ASSERTION = "client-assertion-jti:";

/**
 * The library's records over `AuthStore` objects: what was written is there for the very next reader, anywhere. Grants
 * and tokens live with their user; within that user's own object `here` stands for it.
 */
export function oauthStorage(env: Pick<Env, "AUTH">, here?: { user: string; store: Store }): OAuthStorage {
  const storeOf = (name: string): Store => {
    const object = objectOf(name);
    if (here && object === `user:${here.user}`) return here.store;
    return env.AUTH.get(env.AUTH.idFromName(object)) as unknown as Store;
  };
  return {
    // biome-ignore lint/suspicious/noExplicitAny: the overloads say what comes back
    async get(name: string, options?: { type: "json" }): Promise<any> {
      const value = await storeOf(name).read(name);
      return value !== null && options?.type === "json" ? JSON.parse(value) : value;
    },
    async put(name, value, options = {}) {
      const entry = { expiresAt: expiryOf(options), metadata: options.metadata };
      if (!name.startsWith(ASSERTION)) return storeOf(name).write(name, value, entry);
      // The library looks first and writes then: of two that looked at once, only one may go on.
      if (!(await storeOf(name).writeNew(name, value, entry))) throw new Error("a client assertion was replayed");
    },
    async delete(name) {
      const removed = await storeOf(name).remove(name);
      // Likewise: a consent counts once, for the one who consumed it.
      if (name.startsWith(TRANSACTION) && !removed) {
        throw new AuthorizationError("invalid_request", {
          description: "This authorization expired or was already used; start again",
        });
      }
    },
    async list({ prefix, limit = PAGE, cursor }) {
      const { keys, next } = await storeOf(prefix).names(prefix, limit, cursor);
      return {
        keys: keys.map(({ name, expiresAt, metadata }) => ({
          name,
          ...(expiresAt === null ? {} : { expiration: Math.floor(expiresAt / 1_000) }),
          ...(metadata === null ? {} : { metadata }),
        })),
        ...(next === null ? { list_complete: true } : { list_complete: false, cursor: next }),
      };
    },
  };
}

function expiryOf({ expiration, expirationTtl }: PutOptions): number | undefined {
  if (expirationTtl !== undefined) return Date.now() + expirationTtl * 1_000;
  return expiration === undefined ? undefined : expiration * 1_000;
}

/** Name of the object that holds a record. */
function objectOf(name: string): string {
  const [kind, user] = name.split(":");
  if (kind === "grant" || kind === "token") {
    if (!user) throw new Error("grants and tokens are found by their user");
    return `user:${user}`;
  }
  return name;
}
