import type { ServerEvent } from "@modelcontextprotocol/server";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { type Watch, watch } from "../vault/watch.ts";
import { eventsIn, follows, MOST_FOLLOWED } from "./news.ts";

/** Who is to hear, while a stream of its session is open. */
export interface Listener {
  account: string;
  scopes: readonly string[];
}

/** What a session of a client of 2025 hears of: the lists, and the resources it has subscribed to. */
export class Hearing {
  readonly #env: Env;
  readonly #tell: (event: ServerEvent) => void;
  readonly #followed: Set<string>;
  #watch: Watch | undefined;
  /** Grows with every opening and closing, so that one that was overtaken is noticed. */
  #turn = 0;

  /** `followed`: what the session had subscribed to when it slept. */
  constructor(env: Env, tell: (event: ServerEvent) => void, followed: readonly string[] = []) {
    this.#env = env;
    this.#tell = tell;
    this.#followed = new Set(followed);
  }

  get followed(): string[] {
    return [...this.#followed];
  }

  /** @throws WaypostError `invalid_input` for what cannot be followed; `insufficient_scope` is not told apart from it */
  subscribe(uri: string, scopes: readonly string[]): void {
    if (!follows(uri, scopes)) {
      throw new WaypostError("invalid_input", "uri: Sessions and documents that you may read can be subscribed to.");
    }
    if (this.#followed.size >= MOST_FOLLOWED && !this.#followed.has(uri)) {
      throw new WaypostError("invalid_input", `uri: A session follows at most ${MOST_FOLLOWED} resources.`);
    }
    this.#followed.add(uri);
  }

  unsubscribe(uri: string): void {
    this.#followed.delete(uri);
  }

  /**
   * Begins to hear, in place of whoever heard before.
   * @throws WaypostError `rate_limited` when too many watch the account, `unavailable`
   */
  async open({ account, scopes }: Listener): Promise<void> {
    this.close();
    const turn = this.#turn;
    const may = (scope: string) => scopes.includes(scope);
    const lists = { resourcesListChanged: may("sync") || may("search"), promptsListChanged: may("chat") };
    const watched = await watch(
      this.#env,
      account,
      (news) => {
        const resourceSubscriptions = this.followed.filter((uri) => follows(uri, scopes));
        for (const event of eventsIn(news, { ...lists, resourceSubscriptions })) this.#tell(event);
      },
      () => this.close(),
    );
    if (turn === this.#turn) this.#watch = watched;
    else watched.close();
  }

  close(): void {
    this.#turn++;
    this.#watch?.close();
    this.#watch = undefined;
  }
}
