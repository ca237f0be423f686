import type { Answer } from "./connection.ts";
import type { Input } from "./input.ts";
import { refusalOf } from "./refusal.ts";

/** What an account has, as far as an input could have changed it. */
export interface Digest {
  /** Place in the vault's change log. */
  vault: string;
  creditNano: number;
  heldNano: number;
  /** Calls left of the day's. */
  calls: number;
}

/** Asked of the account itself; counted, so it must be known how often. */
export const DIGEST_CALLS = 2;

/** What a stretch of inputs says that it did. */
export class Expected {
  /** The most calls that may have been counted. */
  calls: number;
  /** Something that was accepted may have changed the vault. */
  changes = false;
  /** What answers say they cost; null when one does not say. */
  costNano: number | null = 0;

  /** @param calls that were counted although no input made them: those that ask for the books */
  constructor(calls = DIGEST_CALLS) {
    this.calls = calls;
  }

  /** @param readOnly names of tools that only read */
  add(input: Input, answer: Answer | null, readOnly: ReadonlySet<string>): void {
    // A list of resources is one of documents and one of sessions.
    const calls = input.body?.includes("resources/list") ? 2 : 1;
    if (!answer) {
      this.calls += calls;
      this.changes = true;
      this.costNano = null;
      return;
    }
    const refusal = refusalOf(input.surface, answer);
    const ok = answer.status < 400 && !refusal;
    // In a session an answer begins before it is known what will be counted.
    const inSession = input.surface === "mcp" && streams(answer);
    const counted = answer.headers.has("ratelimit") || inSession;
    const isCall = input.surface !== "mcp" || (input.body?.includes("tools/call") ?? false);
    if (counted || ok) this.calls += calls;
    if (ok && !reads(input, readOnly)) this.changes = true;
    // A call that ran and then failed may have kept what it did first: the question of a chat, say.
    if (refusal && counted && !REFUSES.has(refusal.code)) this.changes = true;
    if (!ok && !counted) return;
    const told = costOf(answer);
    if (told !== null) this.costNano = this.costNano === null ? null : this.costNano + told;
    else if (ok && isCall && streams(answer)) this.costNano = null;
  }
}

/** Refusals after which everything is as it was. */
const REFUSES = new Set([
  "invalid_input",
  "invalid_json",
  "invalid_header",
  "not_found",
  "unknown_tool",
  "insufficient_scope",
  "model_unknown",
  "model_unpriced",
  "rate_limited",
  "payment_required",
  "budget_exceeded",
  "idempotency_conflict",
  "context_too_long",
]);

function reads({ surface, method, body }: Input, readOnly: ReadonlySet<string>): boolean {
  if (surface !== "mcp") return method === "GET" || method === "HEAD";
  const text = body?.toString("utf8") ?? "";
  if (!text.includes("tools/call")) return true;
  const names = [...text.matchAll(/"name"\s*:\s*"(\w+)"/g)].map(([, name]) => name as string);
  return names.length === 1 && readOnly.has(names[0] as string);
}

const streams = ({ headers }: Answer): boolean => /event-stream/.test(headers.get("content-type") ?? "");

function costOf({ headers, text }: Answer): number | null {
  const header = headers.get("x-waypost-cost-nano-usd");
  if (header !== undefined) return Number(header);
  const meta = /"waypost\/cost-nano-usd":(\d+)/.exec(text)?.[1];
  if (meta !== undefined) return Number(meta);
  return streams({ headers } as Answer) ? null : 0;
}

/** What differs from what was said; null when nothing does. */
export function difference(before: Digest, after: Digest, expected: Expected): string | null {
  if (after.heldNano !== 0) return `${after.heldNano} nano-USD are held although no call runs`;
  const spent = before.creditNano - after.creditNano;
  if (expected.costNano !== null && spent !== expected.costNano) {
    return `${spent} nano-USD were charged, and answers tell of ${expected.costNano}`;
  }
  if (!expected.changes && before.vault !== after.vault) return `the vault went from ${before.vault} to ${after.vault}`;
  const counted = before.calls - after.calls;
  return counted > expected.calls ? `${counted} calls were counted, and at most ${expected.calls} were made` : null;
}
