import { sha256 } from "../sha256.ts";
import { LEASE_MS } from "./ledger_parts.ts";
import type { OutboxRow } from "./rows.ts";

/**
 * The audit log as a chain: each line carries the hash of the line before it, so that no line can be changed, left out or
 * put in between without breaking every hash after it. Lines are numbered from 1 without gaps.
 */

/** Where a chain stands: number and hash of its last line. */
export interface ChainHead {
  seq: number;
  hash: string;
}

/** What makes an outbox row a line of the chain. Absent in rows of before there was one. */
export interface ChainLink {
  seq: number;
  /** Hash of the line before: 64 lowercase hex digits. */
  prev: string;
  hash: string;
}

/** A line as D1 keeps it. `seq`, `prev` and `hash` are null in lines of before the chain. */
export interface AuditLine {
  id: string;
  at: string;
  actor: string;
  action: string;
  subject: string | null;
  via: string;
  status: string;
  duration_ms: number | null;
  seq: number | null;
  prev: string | null;
  hash: string | null;
}

/** What the first line of an account names as the one before it. */
export const GENESIS: ChainHead = { seq: 0, hash: "0".repeat(64) };

/** Puts rows at the end of a chain. Returns them as its lines, with the head they lead to. */
export function linkRows<Row extends OutboxRow>(
  account: string,
  head: ChainHead,
  rows: readonly Row[],
): { rows: (Row & ChainLink)[]; head: ChainHead } {
  let { seq, hash } = head;
  const linked = rows.map((row) => {
    const prev = hash;
    seq += 1;
    hash = hashOf(account, seq, prev, {
      id: row.id,
      at: row.at,
      actor: row.user,
      action: row.tool,
      subject: row.key_id,
      via: row.via,
      status: row.status,
      duration_ms: row.duration_ms,
    });
    return { ...row, seq, prev, hash };
  });
  return { rows: linked, head: { seq, hash } };
}

type Content = Omit<AuditLine, "seq" | "prev" | "hash">;

/** SHA-256 in lowercase hex over a JSON array of fixed order, which has one spelling only. */
function hashOf(account: string, seq: number, prev: string, line: Content): string {
  const { id, at, actor, action, subject, via, status, duration_ms } = line;
  return sha256(JSON.stringify([account, seq, prev, id, at, actor, action, subject, via, status, duration_ms]));
}

/** The first place where a chain is not as it was written. */
export interface ChainBreak {
  /** Number of the line that is wrong, or that should be there; 0 of a line that has none. */
  seq: number;
  id: string | null;
  reason: "missing" | "altered" | "unlinked" | "not the ledger's";
}

/** What is booked to the time it happened, not to when it was told. */
const RELAYED = "relay";

/** Follows the lines of one account, page by page, and remembers the first break. */
export class ChainCheck {
  readonly #account: string;
  #head: ChainHead = GENESIS;
  lines = 0;
  /** Lines of before the chain: nothing vouches for them. */
  unchained = 0;
  break: ChainBreak | null = null;
  /** The latest of them. */
  #stray: { id: string; at: number } | undefined;
  /** When the chain had begun at the latest, in ms. */
  #begunBy = Number.POSITIVE_INFINITY;

  constructor(account: string) {
    this.#account = account;
  }

  get head(): ChainHead {
    return this.#head;
  }

  /**
   * Takes the next lines in the order of `seq`; those without one, of before the chain, at any time. With `expected`, the ledger's own head, that line must
   * be this one. A line of "before" that began after the chain had was put in.
   */
  follow(lines: readonly AuditLine[], expected?: ChainHead): void {
    for (const line of lines) {
      if (line.seq === null || line.prev === null || line.hash === null) {
        this.unchained++;
        const at = Date.parse(line.at);
        if (!this.#stray || at > this.#stray.at) this.#stray = { id: line.id, at };
        continue;
      }
      if (this.break) break;
      this.#take({ ...line, seq: line.seq, prev: line.prev, hash: line.hash }, expected);
    }
    if (!this.break && this.#stray && this.#stray.at > this.#begunBy) {
      this.break = { seq: 0, id: this.#stray.id, reason: "unlinked" };
    }
  }

  #take(line: AuditLine & ChainLink, expected?: ChainHead): void {
    const { seq, prev, hash } = line;
    const next = this.#head.seq + 1;
    if (seq !== next) this.break = { seq: next, id: null, reason: "missing" };
    else if (prev !== this.#head.hash) this.break = { seq, id: line.id, reason: "unlinked" };
    else if (hash !== hashOf(this.#account, seq, prev, line)) this.break = { seq, id: line.id, reason: "altered" };
    else if (expected?.seq === seq && expected.hash !== hash) {
      this.break = { seq, id: line.id, reason: "not the ledger's" };
    } else {
      this.lines++;
      this.#head = { seq, hash };
      // A line is written when its call has ended. One that was relayed tells of long ago.
      if (this.#begunBy === Number.POSITIVE_INFINITY && line.action !== RELAYED) {
        this.#begunBy = Date.parse(line.at) + (line.duration_ms ?? LEASE_MS);
      }
    }
  }

  /**
   * Ends the check: the ledger says what D1 must have, and what there is at all. A chain that was cut short, or goes on
   * beyond what the ledger wrote, shows here.
   */
  end(acknowledged: ChainHead, newest: ChainHead): void {
    const { seq, hash } = this.#head;
    if (this.break) return;
    if (seq < acknowledged.seq) this.break = { seq: seq + 1, id: null, reason: "missing" };
    else if (seq > newest.seq || (seq === newest.seq && hash !== newest.hash)) {
      this.break = { seq, id: null, reason: "not the ledger's" };
    }
  }
}
