import { fail, type Result } from "../errors.ts";
import type { Budgets } from "./budgets.ts";
import { hasBounds } from "./key_rules.ts";
import type { Keyring } from "./keyring.ts";
import type { KeyAuthor } from "./types.ts";

/**
 * Who in an account may change what. A credential is bounded by limits, a budget or a time, its own or of what it was made
 * with, and that is asked anew each time: whoever is bounded reaches itself and what it made, and nothing that holds others.
 */
export class Authority {
  readonly #ring: Keyring;
  readonly #budgets: Budgets;

  constructor(ring: Keyring, budgets: Budgets) {
    this.#ring = ring;
    this.#budgets = budgets;
  }

  isBounded(id: string): boolean {
    return this.#ring.lineOf(id).some((each) => {
      const key = this.#ring.get(each);
      return this.#budgets.bind(each) || (key !== undefined && hasBounds(key));
    });
  }

  /** Whether a credential was made with the author, or with one that was. */
  isBelow(id: string, author: string): boolean {
    return id !== author && this.#ring.lineOf(id).includes(author);
  }

  /** Whether an author reaches a credential: any, or when they are bounded their own and those below it. */
  reaches(id: string, { keyId }: KeyAuthor): boolean {
    return id === keyId || this.isBelow(id, keyId) || !this.isBounded(keyId);
  }

  /**
   * `exceeds_own_key` for a bounded author who would change what all of the account share; undefined when it is theirs to change.
   * `what` ends the sentence "A key that is limited does not …".
   */
  bars(by: KeyAuthor | undefined, what: string): Result<never> | undefined {
    if (!by || !this.isBounded(by.keyId)) return undefined;
    return fail("exceeds_own_key", `A key that is limited does not ${what}.`);
  }
}
