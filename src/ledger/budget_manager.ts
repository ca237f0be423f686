import { fail, ok, type Result } from "../errors.ts";
import type { Authority } from "./authority.ts";
import { isTimeZone } from "./budget_periods.ts";
import type { Budget, BudgetState } from "./budget_types.ts";
import type { Budgets } from "./budgets.ts";
import type { Journal } from "./journal.ts";
import type { Keyring } from "./keyring.ts";
import type { KeyAuthor } from "./types.ts";

export const MOST_BUDGETS = 100;
const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** Ids of what stands in for a key: a grant to an app, an issuer's token. */
const OTHER_CREDENTIAL = /^(grant|jwt)_/;
const RESET_DAYS: Partial<Record<Budget["period"], number>> = { week: 7, month: 28 };

/**
 * Sets, lists and removes the account's budgets. Whoever is bounded sets no bounds but those of keys they made: nobody
 * loosens what holds them.
 */
export class BudgetManager {
  readonly #budgets: Budgets;
  readonly #ring: Keyring;
  readonly #authority: Authority;
  readonly #journal: Journal;

  constructor(budgets: Budgets, ring: Keyring, authority: Authority, journal: Journal) {
    this.#budgets = budgets;
    this.#ring = ring;
    this.#authority = authority;
    this.#journal = journal;
  }

  /** All budgets, those of keys among them, by id. */
  list(): BudgetState[] {
    return this.#budgets.all();
  }

  /**
   * Sets a budget, in place of the one with its id if there is one. What was spent in its period counts from the start.
   * `exists`: the grant it is of is known to be there, though nothing may have come from it yet.
   * Fails with `invalid_input`, `not_found` (no such key), `conflict`, `exceeds_own_key`.
   */
  async set(budget: Budget, now: number, by?: KeyAuthor, exists = false): Promise<Result<BudgetState>> {
    this.#journal.write();
    const wrong = this.#wrongWith(budget, exists) ?? this.#barredFrom(budget, by);
    if (wrong) return wrong;
    this.#budgets.put(budget, now);
    // Writes the notices of thresholds that what was spent before has crossed.
    this.#journal.flush();
    const tracked = this.#budgets.get(budget.id);
    return tracked ? ok(this.#budgets.stateOf(tracked)) : absent(budget.id);
  }

  /** Fails with `not_found`, `conflict`, `exceeds_own_key`. */
  remove(id: string, by?: KeyAuthor): Result<{ deleted: boolean }> {
    const tracked = this.#budgets.get(id);
    if (!tracked) return absent(id);
    if (this.#ring.get(id)) return ofTheKey(id);
    const barred = this.#barredFrom(tracked.budget, by);
    if (barred) return barred;
    this.#budgets.remove(id);
    return ok({ deleted: true });
  }

  #wrongWith(budget: Budget, exists: boolean): Result<never> | undefined {
    const { id, key_id, period, time_zone, reset_day } = budget;
    const replaced = this.#budgets.get(id);
    if (this.#ring.get(id)) return ofTheKey(id);
    if (!ID.test(id) || id.startsWith("key_")) {
      return invalid("budget_id", "1 to 64 of a-z, 0-9, `.`, `_`, `-`, not beginning with `key_`");
    }
    if (key_id !== undefined && !exists && !this.#isThere(key_id)) {
      return fail("not_found", `There is no key "${key_id}" in this account, and no grant or token of that name.`);
    }
    if (time_zone !== undefined && !isTimeZone(time_zone)) {
      return invalid("time_zone", "an IANA time zone such as Europe/Berlin");
    }
    if (reset_day !== undefined && reset_day > (RESET_DAYS[period] ?? 0)) {
      return invalid("reset_day", "1 to 7 with `week`, 1 to 28 with `month`, and with neither of the others");
    }
    if (!replaced && this.#budgets.size >= MOST_BUDGETS) {
      return fail("conflict", `An account has at most ${MOST_BUDGETS} budgets: delete one that is not needed.`);
    }
    return undefined;
  }

  /** A budget of what does not exist would look like protection and be none. */
  #isThere(keyId: string): boolean {
    return this.#ring.get(keyId) !== undefined || (OTHER_CREDENTIAL.test(keyId) && this.#budgets.knows(keyId));
  }

  #barredFrom({ id, key_id }: Budget, by: KeyAuthor | undefined): Result<never> | undefined {
    if (!by || !this.#authority.isBounded(by.keyId)) return undefined;
    const replaced = this.#budgets.get(id)?.budget;
    const wanted = [key_id, ...(replaced ? [replaced.key_id] : [])];
    if (wanted.every((each) => each !== undefined && this.#authority.isBelow(each, by.keyId))) return undefined;
    return fail("exceeds_own_key", "A key that is limited sets budgets of keys it made, and no others.");
  }
}

const invalid = (path: string, message: string): Result<never> =>
  fail("invalid_input", `\`${path}\` is ${message}.`, { issues: [{ path, message: `Expected ${message}` }] });
const absent = (id: string): Result<never> => fail("not_found", `There is no budget "${id}" in this account.`);
const ofTheKey = (id: string): Result<never> =>
  fail("conflict", `"${id}" is a key's own budget: change it with PATCH /v1/keys/${id}.`);
