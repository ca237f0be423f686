import type { Credential } from "../auth/bearer.ts";
import { Grants } from "../auth/oauth/grants.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { lazily } from "../lazily.ts";

/** Who listens to a session, kept with the socket while the object sleeps. No token: only what it stood for. */
export interface Listener {
  session: string;
  user: string;
  credential: Credential;
  /** When the credential ends by itself, ms since the epoch; null: it is asked about. */
  expiresAt: number | null;
}

/** What a device that listens to a session is told. Texts of one call follow each other by `at`, without gaps. */
export type LiveMessage =
  | { type: "listening"; session_id: string }
  | { type: "delta"; call_id: string; at: number; text: string }
  /** The answer is stored: pull the session. */
  | { type: "message"; call_id: string; message_id: string }
  | { type: "failed"; call_id: string; code: string };

const gate = lazily(() => import("../gate/gate.ts"));

/** Close codes of our own (RFC 6455 7.4.2). */
const CLOSED = { unauthenticated: 4401, tooSlow: 4408 } as const;
/** Characters a device may be behind by; it says how far it has come with `{"seen": <number of characters>}`. */
const MOST_UNSEEN = 262_144;
/** Pieces that come within this time are told as one. */
const GATHER_MS = 50;
/** How often a credential is asked about again while its sockets are open. */
export const RECHECK_MS = 45_000;

/** Sockets of devices that listen to sessions. They outlive the object's memory. */
export class LiveSockets {
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  /** Characters sent and not seen, of sockets since the object woke. */
  readonly #unseen = new WeakMap<WebSocket, number>();

  /** Texts not told yet, by call. One timer for all of them: those of an object go off one after the other. */
  readonly #gathered = new Map<string, { session: string; at: number; text: string }>();
  #telling: ReturnType<typeof setTimeout> | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    this.#ctx = ctx;
    this.#env = env;
  }

  accept(listener: Listener, replay: LiveMessage[]): WebSocket {
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [listener.session]);
    server.serializeAttachment(listener);
    this.#send(server, { type: "listening", session_id: listener.session });
    for (const message of replay) this.#send(server, message);
    return client;
  }

  get any(): boolean {
    return this.#ctx.getWebSockets().length > 0;
  }

  /** Whether somebody listens to a session. */
  listensTo(session: string | undefined): boolean {
    return session !== undefined && this.#ctx.getWebSockets(session).length > 0;
  }

  /** Tells a piece of an answer, joined with those that come right after it. */
  say(session: string, callId: string, at: number, text: string): void {
    const begun = this.#gathered.get(callId);
    if (begun) {
      begun.text += text;
      return;
    }
    this.#gathered.set(callId, { session, at, text });
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.flush();
    }, GATHER_MS);
  }

  tell(session: string, message: LiveMessage): void {
    if ("call_id" in message) this.#flush(message.call_id);
    this.#tell(session, message);
  }

  /** Tells now what was gathered. */
  flush(): void {
    for (const callId of this.#gathered.keys()) this.#flush(callId);
  }

  #flush(callId: string): void {
    const gathered = this.#gathered.get(callId);
    if (!gathered) return;
    this.#gathered.delete(callId);
    const { session, at, text } = gathered;
    this.#tell(session, { type: "delta", call_id: callId, at, text });
  }

  #tell(session: string, message: LiveMessage): void {
    for (const socket of this.#ctx.getWebSockets(session)) this.#send(socket, message);
  }

  /** A device says how many characters it has read in all since it last did. */
  seen(socket: WebSocket, message: string | ArrayBuffer): void {
    const count = typeof message === "string" ? Number(/^\{"seen": ?(\d{1,9})\}$/.exec(message)?.[1] ?? 0) : 0;
    this.#unseen.set(socket, Math.max(0, (this.#unseen.get(socket) ?? 0) - count));
  }

  /** Closes the sockets whose credential is not good any more. One that cannot be asked about stays. */
  async recheck(): Promise<void> {
    const asked = new Map<string, Promise<boolean>>();
    await Promise.all(
      this.#ctx.getWebSockets().map(async (socket) => {
        const listener = socket.deserializeAttachment() as Listener;
        const id = JSON.stringify([listener.credential, listener.expiresAt]);
        const good = asked.get(id) ?? this.#good(listener);
        asked.set(id, good);
        if (!(await good))
          close(socket, CLOSED.unauthenticated, "The credential is not valid any more: sign in again.");
      }),
    );
  }

  async #good({ credential, expiresAt, user }: Listener): Promise<boolean> {
    if (expiresAt !== null && expiresAt <= Date.now()) return false;
    try {
      const { scopes } = await (await gate()).identify(this.#env, credential);
      return scopes.includes("sync") && (await this.#granted(credential, user));
    } catch (error) {
      return error instanceof WaypostError && error.status >= 500;
    }
  }

  /** An OAuth token was verified when the socket was opened; it ends with its grant. */
  async #granted({ caller }: Credential, user: string): Promise<boolean> {
    if (!("verified" in caller) || !caller.verified.id.startsWith("grant_")) return true;
    const grants = await new Grants(this.#env).list(user);
    return grants.some(({ grant, scopes }) => `grant_${grant}` === caller.verified.id && scopes.includes("sync"));
  }

  #send(socket: WebSocket, message: LiveMessage): void {
    const text = JSON.stringify(message);
    const unseen = (this.#unseen.get(socket) ?? 0) + text.length;
    if (unseen > MOST_UNSEEN) {
      close(socket, CLOSED.tooSlow, "Too far behind: pull the session with sync_session.");
      return;
    }
    this.#unseen.set(socket, unseen);
    try {
      socket.send(text);
    } catch {
      // It is closing; nothing is lost, the session has it.
    }
  }
}

function close(socket: WebSocket, code: number, reason: string): void {
  try {
    socket.close(code, reason);
  } catch {
    // It was closed already.
  }
}
