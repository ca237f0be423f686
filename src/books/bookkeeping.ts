import type { Env } from "../env.ts";
import { unwrap } from "../errors.ts";
import { type AuditLine, type ChainBreak, ChainCheck } from "../ledger/audit_chain.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Drift } from "./reconcile.ts";

const LINES_A_PAGE = 1_000;
/** Differences shown of one run; the run says how many there are. */
const DRIFTS_SHOWN = 100;

/** What the check of one account's audit log found. */
export interface AuditVerification {
  account: string;
  intact: boolean;
  /** Lines that follow from one another. */
  lines: number;
  /** Lines of before the chain: nothing vouches for them. */
  unchained: number;
  /** Number of the ledger's newest line. D1 has them all up to `acknowledged`. */
  ledger_lines: number;
  acknowledged: number;
  break: ChainBreak | null;
}

export interface ReconciliationReport {
  run: {
    id: string;
    started_at: string;
    finished_at: string | null;
    accounts: number;
    /** Accounts that could not be compared. */
    busy: number;
    drifts: number;
  } | null;
  drifts: Drift[];
}

/** The operator's checks of the books in D1 against the ledgers. */
export class Bookkeeping {
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  /**
   * Follows an account's audit log in D1 from its first line and compares it with the ledger.
   * @throws WaypostError `not_found`
   */
  async verifyAudit(account: string): Promise<AuditVerification> {
    const ledger = this.#env.LEDGER.get(this.#env.LEDGER.idFromName(account)) as unknown as Pick<Ledger, "auditHeads">;
    const before = unwrap(await ledger.auditHeads());
    const check = new ChainCheck(account);
    for (;;) {
      const lines = await this.#lines(account, check.head.seq);
      check.follow(lines, before.acknowledged);
      if (check.break || lines.length < LINES_A_PAGE) break;
    }
    check.follow(await this.#latestUnchained(account));
    check.end(before.acknowledged, unwrap(await ledger.auditHeads()).head);
    const { n } = (await this.#env.DB.prepare("SELECT count(*) AS n FROM audit_logs WHERE account = ? AND seq IS NULL")
      .bind(account)
      .first<{ n: number }>()) ?? { n: 0 };
    return {
      account,
      intact: check.break === null,
      lines: check.lines,
      unchained: n,
      ledger_lines: before.head.seq,
      acknowledged: before.acknowledged.seq,
      break: check.break,
    };
  }

  /** The newest comparison of D1 with the ledgers, and what it found. */
  async reconciliation(): Promise<ReconciliationReport> {
    const run = await this.#env.DB.prepare(
      `SELECT id, started_at, finished_at, accounts, busy, drifts FROM reconciliation_runs ORDER BY started_at DESC LIMIT 1`,
    ).first<NonNullable<ReconciliationReport["run"]>>();
    if (!run) return { run: null, drifts: [] };
    const { results } = await this.#env.DB.prepare(
      "SELECT account, month, book, field, ledger, d1 FROM reconciliation_drifts WHERE run = ? ORDER BY account, month, book, field LIMIT ?",
    )
      .bind(run.id, DRIFTS_SHOWN)
      .all<Drift>();
    return { run, drifts: results };
  }

  async #latestUnchained(account: string): Promise<AuditLine[]> {
    const { results } = await this.#env.DB.prepare(
      `SELECT id, at, actor, action, subject, via, status, duration_ms, seq, prev, hash FROM audit_logs
       WHERE account = ? AND seq IS NULL ORDER BY at DESC LIMIT 1`,
    )
      .bind(account)
      .all<AuditLine>();
    return results;
  }

  async #lines(account: string, after: number): Promise<AuditLine[]> {
    const { results } = await this.#env.DB.prepare(
      `SELECT id, at, actor, action, subject, via, status, duration_ms, seq, prev, hash FROM audit_logs
       WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?`,
    )
      .bind(account, after, LINES_A_PAGE)
      .all<AuditLine>();
    return results;
  }
}
