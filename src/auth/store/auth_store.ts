import { DurableObject } from "cloudflare:workers";
import type { Env } from "../../env.ts";
import { lazily } from "../../lazily.ts";
import { GrantRecords, type GrantSummary } from "../oauth/grant_records.ts";
import type { TokenReply, TokenRequest } from "../oauth/token_request.ts";
import type { GrantName } from "../oauth/tokens.ts";
import type { Scope } from "../scopes.ts";
import { Admissions } from "./admissions.ts";
import { Entries, type EntryOptions, type EntryPage } from "./entries.ts";
import { Queues } from "./queues.ts";

/** With the library, which only users' objects need. */
const tokenEndpoint = lazily(() => import("../oauth/token_endpoint.ts"));
/** How coarse "last used" is: a write a token and hour at most. */
const USE_NOTED_EVERY_MS = 3_600_000;

/**
 * What identity must remember with certainty, in an object for each user (`user:<id>`: grants, tokens, sign-ins), client
 * (`client:<id>`), transaction (`transaction:<hash>`) and rate-limited address (`limit:<…>`). Expired entries are purged by
 * the object's own alarm, and an object with none left leaves no storage behind.
 *
 * Whatever changes a grant or its tokens takes its turn in the grant's queue, so that no reader acts on what another is
 * about to replace.
 */
export class AuthStore extends DurableObject<Env> {
  readonly #entries: Entries;
  readonly #grants: GrantRecords;
  readonly #admissions: Admissions;
  readonly #queues = new Queues();
  /** When each grant's use was last noted, as far as this instance knows. */
  readonly #noted = new Map<string, number>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#entries = new Entries(ctx.storage);
    this.#grants = new GrantRecords(this.#entries);
    this.#admissions = new Admissions(this.#entries);
  }

  async read(name: string): Promise<string | null> {
    return this.#entries.get(name);
  }

  async write(name: string, value: string, options: EntryOptions = {}): Promise<void> {
    this.#entries.put(name, value, options);
    if (options.expiresAt !== undefined) await this.#wakeBy(options.expiresAt);
  }

  /** Writes an entry unless there is one; true for the one caller who did. */
  async writeNew(name: string, value: string, options: EntryOptions = {}): Promise<boolean> {
    if (this.#entries.get(name) !== null) return false;
    await this.write(name, value, options);
    return true;
  }

  /** Writes over an entry that is there. False, and nothing written, when it is not. */
  async renew(name: string, value: string, options: EntryOptions = {}): Promise<boolean> {
    if (this.#entries.get(name) === null) return false;
    await this.write(name, value, options);
    return true;
  }

  /** Removes an entry and returns it, to the one caller who did; null when there is none. */
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

  /** Reads an access token's record for a call, and notes now and then that its grant is in use. */
  async useToken(grant: string, name: string): Promise<string | null> {
    const value = this.#entries.get(name);
    if (value === null) return null;
    const now = Date.now();
    const noted = this.#noted.get(grant) ?? this.#grants.lastUsed(grant) ?? 0;
    this.#noted.set(grant, noted);
    if (now - noted >= USE_NOTED_EVERY_MS) {
      this.#noted.set(grant, now);
      await this.#wakeBy(this.#grants.noteUse(grant, now));
    }
    return value;
  }

  /** Answers a request to the token endpoint that concerns one grant of this user. */
  async token(grant: GrantName, request: TokenRequest): Promise<TokenReply> {
    const { answerTokenRequest } = await tokenEndpoint();
    return this.#queues.run(grant.grant, () =>
      answerTokenRequest({ env: this.env, store: this, grants: this.#grants }, grant, request),
    );
  }

  /** Grants whose code was redeemed, the newest first. */
  async grants(user: string): Promise<GrantSummary[]> {
    return this.#grants.list(user);
  }

  /** Ends a grant with all its tokens; false when there is none. */
  async revokeGrant({ user, grant }: GrantName): Promise<boolean> {
    return this.#queues.run(grant, async () => this.#grants.revoke(user, grant));
  }

  /** Ends every grant of the user, those whose code was not redeemed yet as well. Returns how many there were. */
  async revokeGrants(user: string): Promise<number> {
    const ids = this.#grants.ids(user);
    const revoked = await Promise.all(ids.map((grant) => this.revokeGrant({ user, grant })));
    return revoked.filter(Boolean).length;
  }

  /** Adds scopes to a grant and its live access tokens; null when there is no such grant. */
  async extendGrant({ user, grant }: GrantName, scopes: readonly Scope[]): Promise<GrantSummary | null> {
    return this.#queues.run(grant, async () => this.#grants.extend(user, grant, scopes));
  }

  /** Ends the longest unused grants of a client beyond `keep`. Returns how many. */
  async trimGrants(user: string, client: string, keep: number): Promise<number> {
    const ids = this.#grants.longestUnused(user, client, keep);
    await Promise.all(ids.map((grant) => this.revokeGrant({ user, grant })));
    return ids.length;
  }

  /** Counts a request against a limit. @returns milliseconds until there is room; 0 = admitted */
  async admit(kind: string, limit: number, windowMs: number): Promise<number> {
    const { waitMs, expiresAt } = this.#admissions.admit(kind, limit, windowMs);
    if (waitMs === 0) await this.#wakeBy(expiresAt);
    return waitMs;
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
