import { AsyncLocalStorage } from "node:async_hooks";
import { type Server, type ServerEvent, SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/server";
import type { Credential } from "../../auth/bearer.ts";
import { urlsOf } from "../../auth/urls.ts";
import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import { identify } from "../../gate/gate.ts";
import { agentTools } from "../../tools/registry.ts";
import { explainedError } from "../answer.ts";
import { callsOf } from "../calls.ts";
import type { Exchange } from "../exchange.ts";
import { Hearing } from "../hearing.ts";
import { cancelledId, idOf, methodOf } from "../message.ts";
import { type ServerFacts, serverFor } from "../server.ts";
import { EventLog, isOfListening } from "./event_log.ts";
import { SessionTransport } from "./transport.ts";
import { ASKING, type Asking, noSession, ownerOf, PASSED, REFUSED, type Refusal } from "./wire.ts";

/** A session that nobody used for this long is over, and so is one that was opened this long ago. */
export const IDLE_MS = 24 * 3_600_000;
export const MOST_MS = 7 * 24 * 3_600_000;
/** How often a credential is asked about again while a stream of it is open. */
export const RECHECK_MS = 45_000;
/** How exactly it is known when a session was last used. */
const USED_MS = 60_000;
const STORED = "session";

/** What is left of a session when the object sleeps. Messages that make a server what it is are said to it again. */
interface Kept {
  owner: string;
  openedAt: number;
  usedAt: number;
  initialize: unknown;
  /** The client said that it is ready; and at which level it wants to be told of things. */
  initialized?: unknown;
  level?: unknown;
  /** URIs of the resources it has subscribed to. */
  followed?: string[];
}

interface Live {
  kept: Kept;
  server: Server;
  transport: SessionTransport;
  log: EventLog;
  hearing: Hearing;
  storedAt: number;
  credential?: Credential;
}

/** What makes the server that answers in a session. */
export type Build = (exchange: Exchange, facts: ServerFacts) => Server;

/**
 * One session of a client of 2025 that can be asked something while its request runs: the SDK's own server and transport,
 * kept between requests. Bound to the credential that opened it; to any other it does not exist.
 */
export class Session {
  /** The exchange of the message that is being served: the server outlives them. */
  readonly #current = new AsyncLocalStorage<Exchange>();
  readonly #ctx: DurableObjectState;
  readonly #env: Env;
  readonly #build: Build;
  #live: Live | undefined;

  private constructor(ctx: DurableObjectState, env: Env, build: Build) {
    this.#ctx = ctx;
    this.#env = env;
    this.#build = build;
  }

  /** The session that the object keeps, if it keeps one. */
  static async wake(ctx: DurableObjectState, env: Env, build: Build = serverFor): Promise<Session> {
    const session = new Session(ctx, env, build);
    await session.#wake();
    return session;
  }

  get openStreams(): number {
    return this.#live?.transport.openStreams ?? 0;
  }

  /** Characters kept for clients that come back. */
  get remembered(): number {
    return this.#live?.log.size ?? 0;
  }

  /** A message of the door; see `lane.ts`. */
  async fetch(request: Request): Promise<Response> {
    const asking = JSON.parse(request.headers.get(ASKING) ?? "") as Asking;
    const message: unknown = request.method === "POST" ? await request.json() : undefined;
    try {
      const live = asking.opens ? await this.#open(asking, message) : this.#known(asking);
      return await this.#serve(live, asking, request, message);
    } catch (error) {
      if (!(error instanceof WaypostError)) throw error;
      const refusal: Refusal = { code: error.code, detail: error.detail };
      return Response.json(refusal, { status: error.status, headers: { [REFUSED]: "1" } });
    }
  }

  async alarm(): Promise<void> {
    const live = this.#live;
    const now = Date.now();
    if (!live) return this.#end();
    if (endOf(live.kept) <= now || !(await this.#stillGood(live))) return this.#end();
    if (!live.transport.isHeard) live.hearing.close();
    await this.#wakeAt(live.transport.openStreams > 0 ? now + RECHECK_MS : endOf(live.kept));
  }

  async #open({ credential }: Asking, initialize: unknown): Promise<Live> {
    const now = Date.now();
    this.#live = await this.#start({ owner: ownerOf(credential), openedAt: now, usedAt: now, initialize });
    return this.#live;
  }

  /** @throws WaypostError `no_mcp_session` */
  #known({ credential }: Asking): Live {
    const live = this.#live;
    if (!live || live.kept.owner !== ownerOf(credential) || endOf(live.kept) <= Date.now()) throw noSession();
    return live;
  }

  async #serve(live: Live, asking: Asking, request: Request, message: unknown): Promise<Response> {
    const { transport } = live;
    const id = methodOf(message) === undefined ? null : idOf(message);
    if (id !== null && transport.isRunning(id)) {
      throw new WaypostError("invalid_input", "A request with this id is still running in the session.");
    }
    if (request.method === "GET") await this.#ready(live, asking, request);
    live.credential = asking.credential;
    if (!asking.opens) await this.#used(live, message);
    if (id !== null) transport.began(id);
    const { opens: _, tools, ...who } = asking;
    const sender = { ...who, within: this.#ctx.id.toString(), id, left: request.signal };
    const exchange: Exchange = {
      requestId: asking.requestId,
      call: callsOf(this.#env, this.#ctx, sender),
      scopes: asking.scopes,
      ...(tools ? { tools: agentTools.filter(({ name }) => tools.includes(name)) } : {}),
      hears: {
        subscribe: async (uri) => {
          live.hearing.subscribe(uri, asking.scopes);
          await this.#store(live);
        },
        unsubscribe: async (uri) => {
          live.hearing.unsubscribe(uri);
          await this.#store(live);
        },
      },
    };
    const authInfo = {
      token: asking.credential.account,
      clientId: asking.credential.account,
      scopes: [],
      extra: { exchange },
    };
    const asked = plain(request, live);
    // A connection that broke is often not known to have: the newest stream counts.
    if (request.method === "GET" && !asked.headers.has("last-event-id")) transport.closeStandaloneSSEStream();
    const response = await this.#current.run(exchange, () =>
      transport.handleRequest(asked, {
        authInfo,
        ...(message === undefined ? {} : { parsedBody: message }),
      }),
    );
    if (id !== null && !response.ok) transport.refused(id);
    const cancelled = cancelledId(message);
    if (typeof cancelled === "string" || typeof cancelled === "number") await transport.cancelled(cancelled);
    return response;
  }

  /** Makes ready for a stream to listen on. */
  async #ready({ transport, log, hearing }: Live, asking: Asking, request: Request): Promise<void> {
    const last = request.headers.get("last-event-id");
    if (last !== null && !log.has(last) && !isOfListening(last)) {
      throw new WaypostError("answer_gone", "What came after this event is not remembered any more.");
    }
    await hearing.open({ account: asking.credential.account, scopes: asking.scopes });
    request.signal.addEventListener("abort", () => transport.isHeard || hearing.close());
    await this.#wakeAt(Date.now() + RECHECK_MS);
  }

  /** Notes that the session is used. It is stored with its second message: one that is only tried leaves nothing behind. */
  async #used(live: Live, message: unknown): Promise<void> {
    const now = Date.now();
    const method = methodOf(message);
    live.kept.usedAt = now;
    if (method === "notifications/initialized") live.kept.initialized = message;
    else if (method === "logging/setLevel") live.kept.level = message;
    else if (now - live.storedAt < USED_MS) return;
    if (live.storedAt === 0) await this.#wakeAt(endOf(live.kept));
    await this.#store(live);
  }

  async #store(live: Live): Promise<void> {
    live.storedAt = Date.now();
    live.kept.followed = live.hearing.followed;
    await this.#ctx.storage.put(STORED, live.kept, { allowUnconfirmed: true });
  }

  async #wake(): Promise<void> {
    const kept = await this.#ctx.storage.get<Kept>(STORED);
    if (!kept || endOf(kept) <= Date.now()) return;
    const live = await this.#start(kept);
    for (const message of [kept.initialize, kept.initialized, kept.level]) {
      if (message !== undefined) await this.#again(live.transport, message);
    }
    live.storedAt = kept.usedAt;
    this.#live = live;
  }

  /** Says a message to a server that heard it before. */
  async #again(transport: SessionTransport, message: unknown): Promise<void> {
    const id = idOf(message);
    if (id !== null) transport.began(id);
    const headers = {
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      "mcp-session-id": this.#ctx.id.toString(),
    };
    const request = new Request("https://session", { method: "POST", headers });
    await (await transport.handleRequest(request, { parsedBody: message })).text();
  }

  async #start(kept: Kept): Promise<Live> {
    const log = new EventLog();
    const transport = new SessionTransport({
      sessionIdGenerator: () => this.#ctx.id.toString(),
      eventStore: log,
      retryInterval: 1_000,
      onsessionclosed: () => this.#end(),
    });
    transport.explain = (message) => explainedError(message, this.#current.getStore()?.requestId ?? "");
    const now = new Proxy({} as Exchange, { get: (_, name) => Reflect.get(this.#current.getStore() ?? {}, name) });
    const server = this.#build(now, { tells: true, origin: this.#env.PUBLIC_URL && urlsOf(this.#env).issuer });
    await server.connect(transport);
    const hearing = new Hearing(this.#env, (event) => void tell(server, event).catch(() => {}), kept.followed);
    return { kept, server, transport, log, hearing, storedAt: 0 };
  }

  /** Whether the credential whose streams are open is still good. One that cannot be asked about is. */
  async #stillGood({ transport, credential }: Live): Promise<boolean> {
    if (!credential || transport.openStreams === 0) return true;
    try {
      await identify(this.#env, credential);
      return true;
    } catch (error) {
      return error instanceof WaypostError && error.status >= 500;
    }
  }

  async #end(): Promise<void> {
    const live = this.#live;
    this.#live = undefined;
    live?.hearing.close();
    await live?.transport.close();
    await this.#ctx.storage.deleteAlarm();
    await this.#ctx.storage.deleteAll();
  }

  async #wakeAt(at: number): Promise<void> {
    const set = await this.#ctx.storage.getAlarm();
    if (set === null || set > at) await this.#ctx.storage.setAlarm(at, { allowUnconfirmed: true });
  }
}

const endOf = ({ openedAt, usedAt }: Kept): number => Math.min(openedAt + MOST_MS, usedAt + IDLE_MS);

function tell(server: Server, event: ServerEvent): Promise<void> {
  switch (event.kind) {
    case "resource_updated":
      return server.sendResourceUpdated({ uri: event.uri });
    case "resources_list_changed":
      return server.sendResourceListChanged();
    case "prompts_list_changed":
      return server.sendPromptListChanged();
    case "tools_list_changed":
      return server.sendToolListChanged();
  }
}

/** The request as the SDK may see it. */
function plain(request: Request, { server, log }: Live): Request {
  const headers = new Headers();
  for (const name of PASSED) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const last = headers.get("last-event-id");
  if (last !== null && !log.has(last)) headers.delete("last-event-id");
  // The session's version was agreed on once: without the header the SDK would take an old one. What is none it refuses.
  const version = server.getNegotiatedProtocolVersion();
  const given = headers.get("mcp-protocol-version");
  if (version !== undefined && (given === null || SUPPORTED_PROTOCOL_VERSIONS.includes(given))) {
    headers.set("mcp-protocol-version", version);
  }
  return new Request(request.url, { method: request.method, headers });
}
