import {
  createMcpHandler,
  type McpHandlerRequestOptions,
  type McpServerFactory,
  type ServerEvent,
} from "@modelcontextprotocol/server";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { keepAliveMs } from "../tools/stream_times.ts";
import { watch } from "../vault/watch.ts";
import { eventsIn, tellable, type Wanted } from "./news.ts";

/** `subscriptions/listen` of 2026: a stream of what changes in the account, wherever it was changed. */

/** How often the credential of an open stream is looked at again. */
const RECHECK_MS = 45_000;

export interface Listening {
  account: string;
  scopes: readonly string[];
  /** Throws a `WaypostError` once the credential is not good any more. */
  recheck: () => Promise<unknown>;
  recheckMs?: number;
}

interface Listen {
  params?: { notifications?: Wanted };
}

/**
 * Serves one stream. It ends when the client leaves, its credential does, or the vault cannot be reached any more; the
 * last two in the protocol's own way. What changes while the client does not read is told once, when it does.
 * @throws WaypostError `rate_limited` when too many streams listen to the account, `unavailable`
 */
export async function listen(
  env: Env,
  request: Request,
  message: unknown,
  factory: McpServerFactory,
  authInfo: NonNullable<McpHandlerRequestOptions["authInfo"]>,
  who: Listening,
): Promise<Response> {
  const { asked, wanted } = narrowed(message, who.scopes);
  const pending = new Pending();
  const handler = createMcpHandler(factory, { bus: pending, keepAliveMs: keepAliveMs(env) });
  if (!wanted || Object.keys(wanted).length === 0) return handler.fetch(request, { authInfo, parsedBody: asked });
  const end = () => void handler.close();
  const watched = await watch(env, who.account, (news) => pending.add(eventsIn(news, wanted)), end);
  let response: Response;
  try {
    response = await handler.fetch(request, { authInfo, parsedBody: asked });
  } catch (error) {
    watched.close();
    throw error;
  }
  if (!response.body || !pending.isHeard) {
    watched.close();
    return response;
  }
  const look = setInterval(() => {
    who.recheck().catch((error: unknown) => {
      if (error instanceof WaypostError && error.status < 500) end();
    });
  }, who.recheckMs ?? RECHECK_MS);
  const over = () => {
    clearInterval(look);
    watched.close();
  };
  const { status, headers } = response;
  return new Response(pending.stream(response.body, over), { status, headers });
}

/** The message with only what can be told left in its filter, so that the acknowledgement promises no more. */
function narrowed(message: unknown, scopes: readonly string[]): { asked: unknown; wanted?: Wanted } {
  const { params } = message as Listen;
  const filter = params?.notifications;
  const uris = filter?.resourceSubscriptions;
  const isFilter = typeof filter === "object" && filter !== null && !Array.isArray(filter);
  // What is no filter is for the SDK to refuse.
  if (!isFilter || (uris !== undefined && !(Array.isArray(uris) && uris.every((uri) => typeof uri === "string")))) {
    return { asked: message };
  }
  const wanted = tellable(filter, scopes);
  return { asked: { ...(message as object), params: { ...params, notifications: wanted } }, wanted };
}

/** Events on their way to one stream. Those that nobody has read yet are kept once each. */
class Pending {
  readonly #events = new Map<string, ServerEvent>();
  #listener: ((event: ServerEvent) => void) | undefined;
  /** Frames that were written and not read. */
  #unread = 0;
  #isAwaited = false;

  get isHeard(): boolean {
    return this.#listener !== undefined;
  }

  subscribe(listener: (event: ServerEvent) => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = undefined;
    };
  }

  publish(event: ServerEvent): void {
    this.add([event]);
  }

  add(events: readonly ServerEvent[]): void {
    for (const event of events) this.#events.set(event.kind === "resource_updated" ? event.uri : event.kind, event);
    if (this.#isAwaited) this.#write();
  }

  #write(): void {
    if (this.#unread > 0 || !this.#listener) return;
    const events = [...this.#events.values()];
    this.#events.clear();
    for (const event of events) {
      this.#unread++;
      this.#listener(event);
    }
  }

  /** The stream that the events are written to, as it is read. */
  stream(written: ReadableStream<Uint8Array>, over: () => void): ReadableStream<Uint8Array> {
    const reader = written.getReader();
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          this.#isAwaited = true;
          this.#write();
          const { done, value } = await reader.read();
          this.#isAwaited = false;
          if (done) {
            over();
            controller.close();
            return;
          }
          this.#unread = Math.max(0, this.#unread - 1);
          controller.enqueue(value);
        },
        cancel: async (reason) => {
          over();
          await reader.cancel(reason);
        },
      },
      { highWaterMark: 0 },
    );
  }
}
