import type { CryptoKey } from "jose";
import { WaypostError } from "../../errors.ts";
import { FETCH_TIMEOUT_MS, fetchKeySet, type KeySource, type VerificationKey } from "./key_set.ts";

/** A key set is fetched anew when it is this old. */
export const FRESH_MS = 600_000;
/** Keys this old are still used while their issuer does not answer; then no longer. */
export const STALE_MS = 24 * 3_600_000;
/** An unknown key id leads to a fetch at most this often, and so does a failing issuer whose keys are known. */
export const REFETCH_GAP_MS = 30_000;
/** A failing issuer whose keys are not known is asked at most this often. */
export const RETRY_GAP_MS = 5_000;
const POLL_MS = 20;

interface KeptSet {
  keys: readonly VerificationKey[];
  fetchedAt: number;
  failedAt: number;
  /** When an unknown key id last led to a fetch. */
  missedAt: number;
  /** A fetch is under way until then at the latest; it may have died with its request. 0: none is. */
  fetchingUntil: number;
}

const LONG_AGO = Number.NEGATIVE_INFINITY;

/**
 * The issuers' keys, kept in the isolate. One fetch at a time for an issuer: whoever needs its outcome looks again until
 * it is there, as a promise of one request must not be waited for by another.
 */
export class KeyCache {
  readonly #sets = new Map<string, KeptSet>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * The key for a token's header.
   * @throws WaypostError `unauthenticated` when the issuer has no such key; `unavailable` when that cannot be known now
   */
  async find(source: KeySource, header: { alg: string; kid: string | undefined }): Promise<CryptoKey> {
    const set = this.#setOf(source);
    if (this.#now() - set.fetchedAt >= FRESH_MS) await this.#renew(source, set);
    if (this.#now() - set.fetchedAt >= STALE_MS) throw unavailable();
    const key = pick(set.keys, header);
    if (key) return key;
    await this.#renewForUnknown(source, set);
    const found = pick(set.keys, header);
    if (found) return found;
    if (set.failedAt > set.fetchedAt) throw unavailable();
    throw new WaypostError("unauthenticated", "The token is signed with a key that its issuer does not publish.");
  }

  #setOf({ jwksUrl, algorithms }: KeySource): KeptSet {
    const name = `${jwksUrl} ${algorithms.join(" ")}`;
    let set = this.#sets.get(name);
    if (!set) {
      set = { keys: [], fetchedAt: LONG_AGO, failedAt: LONG_AGO, missedAt: LONG_AGO, fetchingUntil: 0 };
      this.#sets.set(name, set);
    }
    return set;
  }

  async #renew(source: KeySource, set: KeptSet): Promise<void> {
    const usable = this.#now() - set.fetchedAt < STALE_MS;
    if (set.fetchingUntil > this.#now()) {
      if (!usable) await this.#settled(set);
    } else if (this.#now() - set.failedAt >= (usable ? REFETCH_GAP_MS : RETRY_GAP_MS)) {
      await this.#fetch(source, set);
    }
  }

  async #renewForUnknown(source: KeySource, set: KeptSet): Promise<void> {
    if (set.fetchingUntil > this.#now()) return this.#settled(set);
    if (this.#now() - set.missedAt < REFETCH_GAP_MS) return;
    set.missedAt = this.#now();
    await this.#fetch(source, set);
  }

  async #fetch(source: KeySource, set: KeptSet): Promise<void> {
    const startedAt = this.#now();
    set.fetchingUntil = startedAt + FETCH_TIMEOUT_MS + 500;
    try {
      set.keys = await fetchKeySet(source);
      set.fetchedAt = this.#now();
    } catch (error) {
      set.failedAt = this.#now();
      const reason = error instanceof Error ? error.name : "error";
      console.warn(JSON.stringify({ event: "jwks_unavailable", host: new URL(source.jwksUrl).host, reason }));
    } finally {
      set.fetchingUntil = 0;
    }
  }

  async #settled(set: KeptSet): Promise<void> {
    while (set.fetchingUntil > this.#now()) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function pick(keys: readonly VerificationKey[], { alg, kid }: { alg: string; kid: string | undefined }) {
  const fitting = keys.filter((key) => key.alg === alg && (kid === undefined || key.kid === kid));
  if (fitting.length > 1) {
    throw new WaypostError("unauthenticated", "The token does not say which of its issuer's keys it is signed with.");
  }
  return fitting[0]?.key;
}

const unavailable = () =>
  new WaypostError("unavailable", "The keys of the token's issuer cannot be fetched.", {
    retry_after: RETRY_GAP_MS / 1_000,
  });
