import type { Env } from "../env.ts";
import { Directory, type User } from "./directory.ts";
import { hashKey, randomText } from "./keys.ts";
import type { AuthStore } from "./store/auth_store.ts";

/** The cookie of a signed-in browser: `<user>.<secret>`. The prefix ties it to this host and to secure transport. */
export const SESSION_COOKIE = "__Host-waypost-session";
const SESSION_MS = 30 * 86_400_000;
const RENEW_AFTER_MS = 86_400_000;
const PAGE = 100;
const VALUE = /^(usr_[0-9A-Za-z_-]{1,64})\.([0-9a-z]{40})$/;

type Store = Pick<AuthStore, "read" | "write" | "renew" | "remove" | "names">;

export interface Session {
  /** `ses_…`: names the session without giving it away. */
  id: string;
  user: string;
  /** The sign-in method: `passkey`, or the provider's id. */
  how: string;
  /** ISO 8601. */
  started_at: string;
  /** When its 30 days last began anew. ISO 8601. */
  fresh_at: string;
}

/** A session as a browser presented it. */
export interface PresentedSession {
  session: Session;
  user: User;
  /** The cookie's secret half: what form tokens of this session are derived from. Never shown, stored or logged. */
  secret: string;
  /** `Set-Cookie` that the answer must carry, as the session was just renewed; null when it was not. */
  renewal: string | null;
}

/**
 * Sessions of signed-in people, in the AuthStore object of their user under the hash of the cookie's secret. They last 30
 * days from the last use, renewed at most once a day, and end at once when they are ended.
 */
export class Sessions {
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  /** Opens a session with a secret never used before. Returns the `Set-Cookie` value. */
  async start(user: string, how: string): Promise<string> {
    const secret = randomText(40);
    const now = new Date().toISOString();
    const hash = await hashKey(secret);
    await this.#save(hash, { id: idOf(hash), user, how, started_at: now, fresh_at: now });
    return cookie(`${user}.${secret}`, SESSION_MS / 1_000);
  }

  /** The session a request's cookie stands for, unless it ended, expired, or its user was removed. */
  async read(request: Request): Promise<Session | null> {
    return (await this.present(request))?.session ?? null;
  }

  /** As `read`, with the user and what a page needs to answer. */
  async present(request: Request): Promise<PresentedSession | null> {
    const presented = presentedCookie(request);
    if (!presented) return null;
    const hash = await hashKey(presented.secret);
    const stored = await this.#store(presented.user).read(entryOf(hash));
    if (stored === null) return null;
    const user = await new Directory(this.#env).user(presented.user);
    if (!user) return null;
    const session = JSON.parse(stored) as Session;
    if (Date.now() - Date.parse(session.fresh_at) < RENEW_AFTER_MS) {
      return { session, user, secret: presented.secret, renewal: null };
    }
    const renewed = { ...session, fresh_at: new Date().toISOString() };
    // Only while it is there: a sign-out that came in between stays one.
    const kept = await this.#store(user.id).renew(entryOf(hash), JSON.stringify(renewed), optionsOf(renewed));
    if (!kept) return null;
    const renewal = cookie(`${user.id}.${presented.secret}`, SESSION_MS / 1_000);
    return { session: renewed, user, secret: presented.secret, renewal };
  }

  /** Ends the request's session, if it has one. Returns the `Set-Cookie` value that clears the cookie. */
  async end(request: Request): Promise<string> {
    const presented = presentedCookie(request);
    if (presented) await this.#store(presented.user).remove(entryOf(await hashKey(presented.secret)));
    return cookie("", 0);
  }

  /** Ends every session of a user. Returns how many there were. */
  async endAll(user: string): Promise<number> {
    const store = this.#store(user);
    let ended = 0;
    for (;;) {
      const { keys, next } = await store.names(ENTRY_PREFIX, PAGE);
      for (const { name } of keys) if (await store.remove(name)) ended++;
      if (next === null) return ended;
    }
  }

  /** A user's sessions, the longest running first. */
  async list(user: string): Promise<Session[]> {
    const sessions: Session[] = [];
    let after: string | undefined;
    do {
      const { keys, next } = await this.#store(user).names(ENTRY_PREFIX, PAGE, after);
      sessions.push(...keys.map(({ metadata }) => metadata as Session));
      after = next ?? undefined;
    } while (after !== undefined);
    return sessions.sort((a, b) => a.started_at.localeCompare(b.started_at));
  }

  async #save(hash: string, session: Session): Promise<void> {
    await this.#store(session.user).write(entryOf(hash), JSON.stringify(session), optionsOf(session));
  }

  #store(user: string): Store {
    // The runtime's RPC types lose `unknown`, so the object's own are used.
    return this.#env.AUTH.get(this.#env.AUTH.idFromName(`user:${user}`)) as unknown as Store;
  }
}

const ENTRY_PREFIX = "session:";
const entryOf = (hash: string): string => `${ENTRY_PREFIX}${hash}`;
const idOf = (hash: string): string => `ses_${hash.slice(0, 16)}`;
const optionsOf = (session: Session) => ({
  expiresAt: Date.parse(session.fresh_at) + SESSION_MS,
  metadata: session,
});

/** A cookie's value in a request, or null. */
export function cookieOf(request: Request, name: string): string | null {
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const at = pair.indexOf("=");
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim();
  }
  return null;
}

function presentedCookie(request: Request): { user: string; secret: string } | null {
  const match = VALUE.exec(cookieOf(request, SESSION_COOKIE) ?? "");
  return match?.[1] && match[2] ? { user: match[1], secret: match[2] } : null;
}

const cookie = (value: string, maxAgeSeconds: number): string =>
  `${SESSION_COOKIE}=${value}; Path=/; Max-Age=${maxAgeSeconds}; Secure; HttpOnly; SameSite=Lax`;
