import { DurableObject } from "cloudflare:workers";
import type { Env } from "../../env.ts";
import { Entries, type EntryOptions, type EntryPage } from "./entries.ts";

/**
 * What identity must remember with certainty, in an object for each user (`user:<id>`: grants, tokens, sign-ins), client
 * (`client:<id>`), transaction (`transaction:<hash>`) and rate-limited address (`limit:<…>`). Expired entries are purged by
 * the object's own alarm, and an object with none left leaves no storage behind.
 */
export class AuthStore extends DurableObject<Env> {
  readonly #entries: Entries;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#entries = new Entries(ctx.storage);
  }

  async read(name: string): Promise<string | null> {
    return this.#entries.get(name);
  }

  async write(name: string, value: string, options: EntryOptions = {}): Promise<void> {
    this.#entries.put(name, value, options);
    if (options.expiresAt !== undefined) await this.#wakeBy(options.expiresAt);
  }

  /** Removes an entry; true for the one caller who did. */
  async take(name: string): Promise<string | null> {
    const value = this.#entries.get(name);
    this.#entries.delete(name);
    return value;
  }

  async remove(name: string): Promise<boolean> {
    return this.#entries.delete(name);
  }

  async names(prefix: string, limit: number, after?: string): Promise<EntryPage> {
    return this.#entries.list(prefix, limit, after);
  }

  override async alarm(): Promise<void> {
    const { left, nextAt } = this.#entries.purge();
    if (left === 0) await this.#entries.clear();
    else if (nextAt !== null) await this.#wakeBy(nextAt);
  }

  async #wakeBy(at: number): Promise<void> {
    const planned = await this.ctx.storage.getAlarm();
    if (planned === null || planned > at) await this.ctx.storage.setAlarm(at);
  }
}
