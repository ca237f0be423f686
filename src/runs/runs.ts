import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import type { CallOutcome } from "../gate/gate.ts";
import { setRateHeaders } from "../gate/headers.ts";
import { lazily } from "../lazily.ts";
import type { CallEvent } from "../tools/define.ts";
import { toolAt } from "../tools/places.ts";
import { AnswerLog } from "./answer_log.ts";
import { sseFrames } from "./frames.ts";
import { KEPT_MS, KeptAnswers } from "./kept_answers.ts";
import { type Listener, type LiveMessage, LiveSockets, RECHECK_MS } from "./live_sockets.ts";
import { readerOf } from "./reader.ts";
import type { Run } from "./run.ts";
import { runSettings } from "./settings.ts";
import { type Cancelled, type CancelRequest, type ResumeRequest, type RunRequest, toWire } from "./wire.ts";

/** While a call runs that no open request waits for, an alarm this often keeps the object from being put away. */
const AWAKE_MS = 20_000;
const ANSWER = "application/json";

/** Brings the gate along: an object that only tells who listens, or reads an answer that is kept, has no use for it. */
const running = lazily(() => import("./run.ts"));

/**
 * The calls of one account that somebody reads along with, or that may take long. A Worker ends soon after its client has
 * left; this object does not, so what it runs is finished, and can be read from any place by who comes back. One an account
 * and not one a call: it is awake and near already when the next call comes, it knows what runs under a name, and the
 * devices that listen to a session are in it too.
 */
export class Runs extends DurableObject<Env> {
  readonly #runs = new Map<string, Run>();
  readonly #waiting = new Set<Run>();
  readonly #kept: KeptAnswers;
  readonly #live: LiveSockets;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#kept = new KeptAnswers(ctx.storage);
    this.#live = new LiveSockets(ctx, env);
  }

  /** What a door asks; see `doors.ts`. */
  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/listen") return this.#listen(request);
    const body: unknown = await request.json();
    if (pathname === "/start") return this.#start(body as RunRequest, request.signal);
    return this.#resume(body as ResumeRequest);
  }

  /** Ends a call. Null: there is none of this name for this user. */
  async cancel({ user, callId }: CancelRequest): Promise<Cancelled | null> {
    const run = this.#runs.get(callId);
    if (run?.facts?.principal.user === user) {
      const outcome = await run.cancel();
      const cancelled = !outcome.ok && outcome.error.code === "client_closed";
      return { call_id: callId, cancelled, cost_nano: outcome.costNano };
    }
    const kept = await this.#kept.get(callId);
    return kept?.user === user ? { call_id: callId, cancelled: false, cost_nano: kept.costNano } : null;
  }

  /** Ends the call that its client knows by this alias, if there is one and not two. */
  async cancelAlias(alias: string): Promise<void> {
    const known = [...this.#waiting].filter(({ request }) => request.alias === alias);
    if (known.length === 1) await known[0]?.cancel();
  }

  /** Tells the devices of a session of an answer that was not run here. */
  async announce(session: string, callId: string, messageId: string): Promise<void> {
    this.#live.tell(session, { type: "message", call_id: callId, message_id: messageId });
  }

  override async alarm(): Promise<void> {
    if (this.#live.any) await this.#live.recheck();
    const now = Date.now();
    const expiry = await this.#kept.purge(now);
    const next = [
      ...(expiry === null ? [] : [expiry]),
      ...(this.#live.any ? [now + RECHECK_MS] : []),
      ...([...this.#waiting].some(({ unread }) => unread) ? [now + AWAKE_MS] : []),
    ];
    if (next.length > 0) await this.#wakeAt(Math.min(...next));
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    this.#live.seen(socket, message);
  }

  override async webSocketClose(socket: WebSocket, code: number): Promise<void> {
    // 1005 and 1006 say that no code was sent; they cannot be sent back.
    if (socket.readyState !== WebSocket.CLOSED) socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }

  async #start(request: RunRequest, gone: AbortSignal): Promise<Response> {
    const { Run } = await running();
    const tool = await toolAt(request.tool);
    const session = (request.input as { session_id?: string } | null)?.session_id;
    const run = new Run(
      this.env,
      this.ctx,
      tool,
      request,
      runSettings(this.env),
      {
        admitted: (admitted) => this.#admitted(admitted),
        emitted: (from, event) => this.#emitted(from, event),
        ended: (ended, outcome) => this.#ended(ended, outcome),
      },
      this.#live.listensTo(session),
    );
    this.#waiting.add(run);
    if (request.as === "lines") return new Response(this.#watched(run).read("lines", 0, request.requestId));
    const onGone = () => {
      run.readerLeft();
      this.#stayAwake();
    };
    gone.addEventListener("abort", onGone);
    const first = await run.begun();
    gone.removeEventListener("abort", onGone);
    if (first !== "stream") {
      return new Response(JSON.stringify(toWire(first)), { headers: { "Content-Type": ANSWER } });
    }
    const headers: Record<string, string> = { "X-Request-Id": request.requestId };
    setRateHeaders(headers, run.windows);
    return eventStream(this.#watched(run).read("sse", 0, request.requestId), run.facts?.callId ?? "", headers);
  }

  async #resume({ callId, user, after, requestId, repeats }: ResumeRequest): Promise<Response> {
    const headers = { "X-Request-Id": requestId };
    const run = this.#runs.get(callId);
    // What has ended is the ledger's to repeat: it knows the key and the input.
    if (repeats && !(run && isRepeated(run.request, repeats))) return new Response(null, { status: 404 });
    if (run?.facts?.principal.user === user && run.request.streamed) {
      const from = Math.min(after, run.log.length);
      return eventStream(run.read("sse", from, requestId), callId, headers);
    }
    const kept = run ? undefined : await this.#kept.get(callId);
    if (kept?.user !== user) return new Response(null, { status: 404 });
    const log = AnswerLog.of(kept.entries);
    const { keepAliveMs } = runSettings(this.env);
    const reading = { log, from: Math.min(after, log.length), frames: sseFrames(callId), keepAliveMs };
    return eventStream(readerOf({ ...reading, last: () => kept.last, closed: () => {} }), callId, headers);
  }

  #listen(request: Request): Response {
    const listener = JSON.parse(request.headers.get("X-Listener") ?? "") as Listener;
    // Who comes in the middle reads what was told before; what is gathered still is told to everybody.
    this.#live.flush();
    const replay = [...this.#runs].flatMap(([call_id, run]): LiveMessage[] => {
      if (run.session !== listener.session) return [];
      return run.log.entries.flatMap((entry) =>
        "text" in entry ? [{ type: "delta" as const, call_id, at: entry.at, text: entry.text }] : [],
      );
    });
    const webSocket = this.#live.accept(listener, replay);
    this.ctx.waitUntil(this.#wakeAt(Math.min(Date.now() + RECHECK_MS, listener.expiresAt ?? Number.POSITIVE_INFINITY)));
    return new Response(null, { status: 101, webSocket });
  }

  #admitted(run: Run): void {
    if (run.facts && !run.facts.replayed) this.#runs.set(run.facts.callId, run);
  }

  #emitted(run: Run, event: CallEvent): void {
    const { session } = run;
    const { callId } = run.facts ?? {};
    if (event.type !== "delta" || !callId || !session || !this.#live.listensTo(session)) return;
    this.#live.say(session, callId, run.log.length - event.text.length, event.text);
  }

  #ended(run: Run, outcome: CallOutcome): void {
    this.#waiting.delete(run);
    const { session } = run;
    const { callId, principal } = run.facts ?? {};
    if (!callId || !principal || run.facts?.replayed) return;
    if (session && this.#live.listensTo(session)) {
      const id = outcome.ok ? messageIdOf(outcome.output) : undefined;
      if (!outcome.ok) this.#live.tell(session, { type: "failed", call_id: callId, code: outcome.error.code });
      else if (id) this.#live.tell(session, { type: "message", call_id: callId, message_id: id });
    }
    // A call that was refused has sent nothing to come back for.
    const last = run.request.streamed ? run.lastEvent(run.request.requestId) : undefined;
    const forget = () => {
      if (this.#runs.get(callId) === run) this.#runs.delete(callId);
    };
    if (last === undefined || run.request.as !== "sse" || run.log.length === 0) {
      forget();
      return;
    }
    const answer = { user: principal.user, entries: [...run.log.entries], last, costNano: outcome.costNano };
    const keep = this.#kept.put(callId, answer).then(() => this.#wakeAt(Date.now() + KEPT_MS));
    this.ctx.waitUntil(keep.then(forget, forget));
  }

  /** The run, kept going when its readers leave. */
  #watched(run: Run): Run {
    run.onUnread = () => this.#stayAwake();
    return run;
  }

  #stayAwake(): void {
    this.ctx.waitUntil(this.#wakeAt(Date.now() + AWAKE_MS));
  }

  async #wakeAt(at: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    if (set === null || set > at) await this.ctx.storage.setAlarm(at, { allowUnconfirmed: true });
  }
}

/** Tools that store their answer as a message give it that message's id. */
const messageIdOf = (output: unknown): string | undefined => {
  const { id } = output as { id?: unknown };
  return typeof id === "string" ? id : undefined;
};

function eventStream(body: ReadableStream<Uint8Array>, callId: string, headers: Record<string, string>): Response {
  return new Response(body, {
    headers: {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Waypost-Call-Id": callId,
      ...headers,
    },
  });
}

const isRepeated = (request: RunRequest, { idempotencyKey, input }: NonNullable<ResumeRequest["repeats"]>): boolean =>
  request.idempotencyKey === idempotencyKey && JSON.stringify(request.input) === JSON.stringify(input);
