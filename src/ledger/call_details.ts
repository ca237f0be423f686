import { decimal, itemised, type StoredTry } from "./itemised.ts";
import type { TokenPrice, TokenUsage } from "./money.ts";
import type { CallDetails } from "./report_types.ts";
import type { OutboxRow } from "./rows.ts";
import type { Funding, SettleRequest } from "./types.ts";
import type { StoredEntry } from "./usage_table.ts";

/** The details of a call out of its entries, which are kept for ever, and its record, which is kept for some weeks. */

/** What the entry of a settlement remembers of its call beside the money. */
export interface SettledFacts {
  tool: string;
  user: string;
  via: string;
  client: string | null;
  session_id: string | null;
  status: string;
  estimated: boolean;
  duration_ms: number | null;
  begun_at: number;
}

export const settledFacts = (request: SettleRequest, now: number): SettledFacts => ({
  tool: request.tool,
  user: request.user,
  via: request.via,
  client: request.client ?? null,
  session_id: request.session ?? null,
  status: request.error ?? "ok",
  estimated: request.items.some(({ estimated }) => estimated),
  duration_ms: request.durationMs,
  begun_at: now - request.durationMs,
});

/** What the entries' `detail` may hold. */
interface Detail {
  model?: string;
  provider?: string;
  price?: TokenPrice;
  markupBps?: number;
  funding?: Funding;
  inputTokens?: number;
  grantedOutputTokens?: number;
  usage?: TokenUsage;
  /** The tries, when there is more to say of them than `usage`. */
  items?: StoredTry[];
  call?: SettledFacts;
  /** Of usage that was reported: the reporter's id of it, and what was to be kept with it. */
  eventId?: string;
  metadata?: Record<string, string>;
}

/** @param row the call's record, if it is still kept; one of the two must say something */
export function callDetails(
  id: string,
  entries: readonly StoredEntry[],
  row: OutboxRow | undefined,
): CallDetails | null {
  const first = entries[0];
  if (!first && !row) return null;
  const ended = ENDS.map((end) => entries.find(({ kind }) => kind === end)).find((entry) => entry)?.detail as
    | Detail
    | undefined;
  const detail = { ...(first?.detail as Detail), ...ended };
  const { call, price, markupBps, eventId, metadata } = detail;
  const sum = (of: (entry: StoredEntry) => number) => entries.reduce((total, entry) => total + of(entry), 0);
  const { tries, items } = itemised(triesOf(ended, row));
  const answered =
    tries.findLast(({ outcome }) => outcome === "ok") ?? tries.findLast(({ cost_nano }) => cost_nano > 0);
  return {
    id,
    at: row?.at ?? iso(call?.begun_at ?? (first as StoredEntry).at),
    status: row?.status ?? call?.status ?? endOf(entries),
    tool: row?.tool ?? call?.tool ?? "",
    model: row?.model ?? detail.model ?? null,
    provider: detail.provider ?? null,
    key_id: row?.key_id ?? (first as StoredEntry).keyId,
    user: row?.user || call?.user || null,
    client: row?.client ?? call?.client ?? null,
    via: row?.via || call?.via || null,
    session_id: row?.session_id ?? call?.session_id ?? null,
    ...(eventId === undefined ? {} : { event_id: eventId }),
    ...(metadata ? { metadata } : {}),
    duration_ms: row?.duration_ms ?? call?.duration_ms ?? null,
    estimated: row?.estimated ?? call?.estimated ?? false,
    price_version: price?.version ?? null,
    price_tier_above: answered?.price_tier_above ?? null,
    markup: markupBps === undefined ? null : decimal(BigInt(markupBps), 4),
    tries,
    items,
    cost_nano: sum(({ costNano }) => costNano),
    funding: detail.funding ?? null,
    credit_nano: none(-sum(({ creditNano }) => creditNano)),
    overrun_nano: none(-sum(({ kind, creditNano }) => (kind === "overrun" ? creditNano : 0))),
    plan_tokens: sum(({ tokens }) => tokens),
    hold: holdOf(entries),
    entries: entries.map(({ kind, at, holdNano, creditNano, tokens, costNano }) => ({
      kind,
      at: iso(at),
      hold_nano: holdNano,
      credit_nano: creditNano,
      tokens,
      cost_nano: costNano,
    })),
  };
}

/** What ends a call, the last word first: one that expired may be billed all the same. */
const ENDS = ["settle", "void", "expire"];

/** The tries of a call: as its charge or its release remembers them, or the record of a call that held nothing. */
function triesOf(settled: Detail | undefined, row: OutboxRow | undefined): StoredTry[] {
  if (settled?.items) return settled.items;
  if (row?.tries) return [...row.tries];
  // One try is told in short.
  const { model, usage, provider, price, markupBps, call } = settled ?? {};
  if (!model || !usage || !price || markupBps === undefined) return [];
  const estimated = call?.estimated ?? false;
  return [{ model, outcome: "ok", usage, estimated, ...(provider ? { provider } : {}), price, markupBps }];
}

function holdOf(entries: readonly StoredEntry[]): CallDetails["hold"] {
  const hold = entries.find(({ kind }) => kind === "hold");
  if (!hold) return null;
  const end = entries.find(({ kind }) => kind === "settle" || kind === "void" || kind === "expire");
  const { inputTokens = 0, grantedOutputTokens = 0, funding } = hold.detail as Detail;
  // What a settlement drew within the hold is not given back; an expired hold was given back whole.
  const drawn = end?.kind === "settle" ? -end.creditNano : 0;
  return {
    at: iso(hold.at),
    ended_at: end ? iso(end.at) : null,
    held_nano: hold.holdNano,
    released_nano: end ? hold.holdNano - drawn : 0,
    held_tokens: funding === "included" ? inputTokens + grantedOutputTokens : 0,
    input_tokens: inputTokens,
    granted_output_tokens: grantedOutputTokens,
  };
}

function endOf(entries: readonly StoredEntry[]): string {
  const last = entries.at(-1)?.kind;
  if (last === "hold") return "open";
  return last === "expire" ? "expired" : "ok";
}

const iso = (ms: number): string => new Date(ms).toISOString();
/** Without a negative zero. */
const none = (value: number): number => value || 0;
