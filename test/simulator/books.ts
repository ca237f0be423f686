import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type Break, unguarded } from "./breaks.ts";
import type { Clock } from "./clock.ts";

const MIGRATIONS = join(import.meta.dirname, "../../migrations");

/** A request that nobody waits for any more. It may come after everything else. */
export const LATE = "late request to D1";

interface Statement {
  query: string;
  values: unknown[];
}

/** How D1 behaves towards one request. */
export type Fault = "none" | "refused" | "written, no answer" | "no answer, written later";

/** D1 as the ledger sees it: real SQL and the real schema behind a network that loses, repeats and reorders. */
export class SimulatedBooks {
  readonly #db = new DatabaseSync(":memory:");
  readonly #clock: Clock;
  readonly #fault: () => Fault;
  readonly #gate: () => Promise<void>;
  readonly #broken: Break | undefined;

  constructor(clock: Clock, account: string, gate: () => Promise<void>, fault: () => Fault, broken?: Break) {
    this.#clock = clock;
    this.#broken = broken;
    this.#gate = gate;
    this.#fault = fault;
    this.#db.exec(schema());
    this.#db
      .prepare("INSERT INTO accounts (id, name, plan, created_at) VALUES (?, 'simulated', 'sim', '2026-01-01')")
      .run(account);
  }

  prepare(query: string) {
    const bound = (values: unknown[]) => ({ query, values, bind: (...more: unknown[]) => bound(more) });
    return bound([]);
  }

  async batch(statements: Statement[]): Promise<object[]> {
    const fault = this.#fault();
    // The runtime lets no request out before what it may be based on is on disk.
    if (this.#broken !== "D1 before disk") await this.#gate();
    await this.#clock.under("request to D1");
    if (fault === "refused") throw new Error("D1 is overloaded");
    if (fault === "no answer, written later") {
      void this.#clock.under(LATE).then(() => this.#apply(statements));
      throw new Error("D1 did not answer");
    }
    this.#apply(statements);
    if (fault === "written, no answer") throw new Error("D1 did not answer");
    await this.#clock.under("ledger: answer of D1");
    return statements.map(() => ({ success: true }));
  }

  all(query: string): Record<string, number | string | null>[] {
    return this.#db.prepare(query).all() as Record<string, number | string | null>[];
  }

  close(): void {
    this.#db.close();
  }

  #apply(statements: Statement[]): void {
    this.#db.exec("BEGIN");
    for (const { query, values } of statements) {
      this.#db.prepare(unguarded(query, this.#broken)).run(...(values as SQLInputValue[]));
    }
    this.#db.exec("COMMIT");
  }
}

let all: string | undefined;

function schema(): string {
  all ??= readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => readFileSync(join(MIGRATIONS, name), "utf8"))
    .join("\n");
  return all;
}
