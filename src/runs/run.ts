import type { Env } from "../env.ts";
import { toProblem } from "../errors.ts";
import { type AdmittedFacts, type CallOutcome, runCall } from "../gate/gate.ts";
import type { WindowState } from "../ledger/types.ts";
import type { CallEvent, Tool } from "../tools/define.ts";
import { AnswerLog } from "./answer_log.ts";
import { line, lineFrames, sse, sseFrames } from "./frames.ts";
import { readerOf } from "./reader.ts";
import type { RunSettings } from "./settings.ts";
import { eventId, type Handle, type RunRequest, toWire } from "./wire.ts";

/** Progress notifications a client is sent at most every so often: 20 a second. */
const NOTIFY_MS = 50;
/** A call that has said nothing for this long is answered with a stream, whatever comes of it. */
const SILENT_MS = 2_000;
const AGAIN_MS = 1_000;

/** What the account's object does with what becomes known of a run. */
export interface RunWatcher {
  admitted(run: Run): void;
  emitted(run: Run, event: CallEvent): void;
  ended(run: Run, outcome: CallOutcome): void;
}

/** One call while it runs, and what it has sent: for those who read along, come back, wait no longer, or cancel it. */
export class Run {
  readonly request: RunRequest;
  readonly log = new AnswerLog();
  readonly outcome: Promise<CallOutcome>;
  /** Called when nobody reads it any more although it runs. */
  onUnread: () => void = () => {};
  readonly #settings: RunSettings;
  readonly #later: Tool["later"];
  readonly #left = new AbortController();
  readonly #cancel = new AbortController();
  readonly #begun = Promise.withResolvers<"stream">();
  #facts: AdmittedFacts | undefined;
  #windows: WindowState[] = [];
  #end: CallOutcome | undefined;
  #handle: Handle | undefined;
  #resultPlaced = false;
  #readers = 0;
  #silent: ReturnType<typeof setTimeout> | undefined;
  #grace: ReturnType<typeof setTimeout> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;

  constructor(
    env: Env,
    ctx: Pick<ExecutionContext, "waitUntil">,
    tool: Tool,
    request: RunRequest,
    settings: RunSettings,
    watcher: RunWatcher,
    watched: boolean,
  ) {
    this.request = request;
    this.#settings = settings;
    this.#later = tool.later;
    const { as: _, alias: __, streamed, ...call } = request;
    const emit = (event: CallEvent) => {
      this.log.add(event);
      this.#begun.resolve("stream");
      watcher.emitted(this, event);
    };
    this.outcome = runCall(env, ctx, {
      ...call,
      tool,
      ...(streamed || watched ? { emit } : {}),
      ...(streamed ? { left: this.#left.signal } : {}),
      cancel: this.#cancel.signal,
      keepIn: () => {
        this.#resultPlaced = true;
        return this.#handle?.session;
      },
      admitted: (windows, facts) => {
        this.#windows = windows;
        this.#facts = facts;
        watcher.admitted(this);
        if (request.as === "sse") this.#silent = setTimeout(() => this.#begun.resolve("stream"), SILENT_MS);
      },
    }).then((outcome) => {
      this.#end = outcome;
      for (const timer of [this.#silent, this.#grace, this.#patience]) clearTimeout(timer);
      watcher.ended(this, outcome);
      this.log.wake();
      return outcome;
    });
    if (request.as === "lines" && this.#later) this.#wait(settings.longMs);
  }

  get facts(): AdmittedFacts | undefined {
    return this.#facts;
  }
  get windows(): WindowState[] {
    return this.#windows;
  }
  get handle(): Handle | undefined {
    return this.#handle;
  }
  /** The one it was asked in, or the one that was made for its answer when nobody waited any longer. */
  get session(): string | undefined {
    return this.#facts?.session ?? this.#handle?.session;
  }
  /** Nobody is waiting for it in an open request. */
  get unread(): boolean {
    return this.#readers === 0;
  }

  /** Whether the answer has begun, or the outcome of a call that ended before it said anything. */
  begun(): Promise<"stream" | CallOutcome> {
    return Promise.race([this.#begun.promise, this.outcome]);
  }

  /** A stream of what was and will be sent. Only once the call was admitted for server-sent events. */
  read(as: RunRequest["as"], from: number, requestId: string): ReadableStream<Uint8Array> {
    this.#readers++;
    clearTimeout(this.#grace);
    const callId = this.#facts?.callId ?? "";
    const { keepAliveMs } = this.#settings;
    const common = { log: this.log, from, keepAliveMs, closed: () => this.readerLeft() };
    if (as === "lines") {
      return readerOf({ ...common, frames: lineFrames, last: () => this.#lastLine(), paceMs: NOTIFY_MS });
    }
    return readerOf({ ...common, frames: sseFrames(callId), last: () => this.lastEvent(requestId) });
  }

  /** One who reads along, or waits for the answer to begin, has gone. A stream can be taken up again for a while. */
  readerLeft(): void {
    this.#readers = Math.max(0, this.#readers - 1);
    if (this.#readers > 0 || this.#end) return;
    this.onUnread();
    if (this.#handle) return;
    const graceMs = this.request.as === "sse" ? this.#settings.graceMs : 0;
    clearTimeout(this.#grace);
    this.#grace = setTimeout(() => this.#left.abort(), graceMs);
  }

  /** Ends the call now; what was produced is billed. */
  cancel(): Promise<CallOutcome> {
    this.#cancel.abort(new DOMException("The call was cancelled.", "AbortError"));
    return this.outcome;
  }

  /** The last event of the stream, once the call has ended. */
  lastEvent(requestId: string): string | undefined {
    const end = this.#end;
    if (!end) return undefined;
    const id = eventId(this.#facts?.callId ?? end.callId, this.log.length);
    return end.ok ? sse("done", end.output, id) : sse("error", toProblem(end.error, requestId), id);
  }

  #lastLine(): string | undefined {
    if (this.#handle) return line({ handle: this.#handle });
    return this.#end && line({ outcome: toWire(this.#end) });
  }

  #wait(ms: number): void {
    this.#patience = setTimeout(() => this.#handOver(), ms);
  }

  /** The client need not wait any more, unless the answer is as good as there. */
  #handOver(): void {
    if (this.#end || this.#resultPlaced) return;
    if (!this.#facts) {
      this.#wait(AGAIN_MS);
      return;
    }
    const { callId, attempt, session } = this.#facts;
    this.#handle = { callId, attempt, session: session ?? `chat_${attempt}` };
    this.log.wake();
  }
}
