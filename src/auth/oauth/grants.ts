import type { Env } from "../../env.ts";
import type { Scope } from "../scopes.ts";
import type { GrantSummary } from "./grant_records.ts";

/** An app that a user let in. Times are ISO 8601. */
export interface ConnectedApp {
  grant: string;
  client_id: string;
  client_name: string;
  client_domain: string | null;
  /** The URL its tokens are good for: `…/mcp` or `…/v1`. */
  resource: string;
  scopes: Scope[];
  account: string;
  created_at: string;
  /** To within an hour; null before the first call. */
  last_used_at: string | null;
  expires_at: string | null;
}

/** The apps a user let in. What is revoked here is refused from the next call on. */
export class Grants {
  readonly #env: Pick<Env, "AUTH">;

  constructor(env: Pick<Env, "AUTH">) {
    this.#env = env;
  }

  /** The newest first. */
  async list(user: string): Promise<ConnectedApp[]> {
    return (await this.#store(user).grants(user)).map(connectedApp);
  }

  /** Ends one grant and its tokens, and no other. False when the user has no such grant. */
  async revoke(user: string, grant: string): Promise<boolean> {
    return this.#store(user).revokeGrant({ user, grant });
  }

  /** Returns how many grants ended. */
  async revokeAll(user: string): Promise<number> {
    return this.#store(user).revokeGrants(user);
  }

  /** Adds scopes to a grant and to the access tokens it has out; null when the user has no such grant. */
  async extend(user: string, grant: string, scopes: Scope[]): Promise<ConnectedApp | null> {
    const extended = await this.#store(user).extendGrant({ user, grant }, scopes);
    return extended && connectedApp(extended);
  }

  #store(user: string) {
    return this.#env.AUTH.get(this.#env.AUTH.idFromName(`user:${user}`));
  }
}

function connectedApp({ id, createdAt, lastUsedAt, expiresAt, scopes, ...summary }: GrantSummary): ConnectedApp {
  return {
    ...summary,
    grant: id,
    scopes: scopes as Scope[],
    created_at: new Date(createdAt).toISOString(),
    last_used_at: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
    expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
}
