import { Store } from "../../src/ledger/store.ts";
import type { TallyRow } from "../../src/ledger/tally.ts";

/**
 * What is broken on purpose, to see that the simulation notices: each is a fault the ledger must not have, put where the
 * ledger and its surroundings meet.
 */
export const BREAKS = [
  /** D1 takes whatever comes, so that a request that was late overwrites a newer record of a call. */
  "late records",
  /** The same of the sums of a month. */
  "late months",
  /** D1 is told of calls that are not on disk yet. */
  "D1 before disk",
  /** A call that ran beside another with the same idempotency key gives its own answer. */
  "own answer",
  /** What a call used of other models than the one that answered is left out of the usage. */
  "no shares",
  /** The object is not asked to see to what was decided elsewhere in its isolate. */
  "untended",
  /** What was settled in the memory of an object that has ended is told all the same. */
  "unkept",
  /** An object that wakes does not look for what is in its redo log alone. */
  "no recovery",
] as const;
export type Break = (typeof BREAKS)[number];

/** The statement without its guard against what is older than what is there, where that is what is broken. */
export function unguarded(query: string, broken: Break | undefined): string {
  if (broken === "late records") return query.replace("WHERE excluded.pos >= pos", "");
  return broken === "late months" ? query.replace("WHERE excluded.as_of >= as_of", "") : query;
}

/** A store in which nothing is ever found in the redo log. */
export class UnreadStore extends Store {
  override redo(): [] {
    return [];
  }
}

/** A store that forgets the shares of a call. */
export class ForgetfulStore extends Store {
  override addTally(rows: readonly TallyRow[]): void {
    super.addTally(rows.filter(({ calls, errors }) => calls !== 0 || errors !== 0));
  }
}
