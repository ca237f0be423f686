import type { z } from "zod";
import type { Accounts } from "../auth/accounts.ts";
import type { Directory } from "../auth/directory.ts";
import type { Invitations } from "../auth/invitations.ts";
import type { Grants } from "../auth/oauth/grants.ts";
import type { Scope } from "../auth/scopes.ts";
import type { Sessions } from "../auth/sessions.ts";
import type { AccountBudgets } from "../billing/account_budgets.ts";
import type { Billing } from "../billing/billing.ts";
import type { Bookkeeping } from "../books/bookkeeping.ts";
import type { ErrorCode, ErrorExtras } from "../errors.ts";
import type { TokenUsage } from "../ledger/money.ts";
import type { UsageAnswers, UsagePage, UsageQuery, UsageReads } from "../ledger/report_types.ts";
import type { HoldRequest, NotAnswered, Settlement, UsageReport } from "../ledger/types.ts";
import type { Safety } from "../models/safety.ts";
import type { Models } from "../models/types.ts";
import type { VaultApi } from "../vault/types.ts";
import type { Consent } from "./confirm.ts";

/** Who is calling, as the gate established it. */
export interface Principal {
  account: string;
  user: string;
  keyId: string;
  scopes: readonly string[];
  plan: string;
  /** Which door the call came through. */
  via: "mcp" | "rest";
  /** Name of the calling program as it announced itself, for reports only. */
  client?: string;
}

/** What a tool may send before its result: a piece of the answer, or how far it has come. */
export type CallEvent =
  | { type: "delta"; text: string }
  /** A piece of an answer in another API's own words; only tools with a `dialect` send it. */
  | { type: "bytes"; bytes: Uint8Array }
  | { type: "progress"; progress: number; total?: number; message?: string };

/** Content-addressed originals (R2), already bound to the caller's account. */
export interface BlobStore {
  /** Stores the bytes once; returns their lowercase hex SHA-256. */
  put(bytes: Uint8Array<ArrayBuffer>, contentType: string): Promise<string>;
  get(sha256: string): Promise<Uint8Array<ArrayBuffer> | null>;
  delete(sha256: string): Promise<void>;
}

/**
 * One admitted call. Everything a tool may touch hangs off it; the gate makes it, so nothing runs unadmitted.
 */
export interface Call {
  readonly id: string;
  readonly principal: Principal;
  /** The caller's vault: sessions, documents, change log. */
  readonly vault: VaultApi;
  readonly models: Models;
  /** What a person decides, and whether one can be asked; see `confirm.ts`. */
  readonly consent: Consent;
  /** Who moderates, and what a cached answer costs. */
  readonly safety: Safety;
  readonly blobs: BlobStore;
  /** Accounts and keys, for the tools that manage them. */
  readonly accounts: Accounts;
  /** The operator's checks of the books. */
  readonly bookkeeping: Bookkeeping;
  /** The account's budgets, and who is told of them. */
  readonly budgets: AccountBudgets;
  /** Prepaid credit: what there is and how it is bought. */
  readonly billing: Billing;
  /** Who the users are, what they let in, and where they are signed in. */
  readonly directory: Directory;
  readonly grants: Grants;
  readonly sessions: Sessions;
  readonly invitations: Invitations;
  /** The server's public origin, for links. */
  readonly origin: string;
  /** Aborted at the deadline, or when the call is cancelled. A client that hung up does not abort it: what was asked for is finished and settled. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch at which the call must have answered. */
  readonly deadline: number;
  /** Same for a repeated attempt with the same idempotency key, otherwise the call id: derive ids of created things from it. */
  readonly attempt: string;
  /** Present when the tool declared `reads`: the report as of this call's admission, this call included. */
  readonly usage?: UsageReport;
  /** What else the tool's `reads` asked for. */
  readonly answers?: Omit<UsageAnswers, "usage">;
  /** The model the account prefers, where the tool's `prefers` asked and there is one. Nothing was held then: `reserve` does it. */
  readonly preferred?: string | undefined;
  /** Output tokens granted by the hold (at most what was asked; fewer when only fewer are affordable). */
  readonly granted?: number;
  /** Somebody reads along: what is emitted is sent as it comes. */
  readonly streamed?: boolean;
  /** Aborted when the client that reads along has left. */
  readonly left?: AbortSignal;
  /** How long the rest of an answer may be read for a client that left, in ms. */
  readonly drainMs: number;
  /** Anthropic's features that a caller of its API asked for by name (`anthropic-beta`), for a provider that speaks it. */
  readonly betas?: string | undefined;
  /** The session to keep the result in when nobody waits for it any more; undefined: it is waited for. Asked once, before the end. */
  keepIn?(): string | undefined;
  /** A page of the account's usage, beginning after the group named `after`. */
  usagePage?(query: UsageQuery, after: readonly string[] | null): Promise<UsagePage>;
  /** Resolves when there is room for more. @throws WaypostError `client_closed` where only a client that reads has use for the rest */
  emit(event: CallEvent): void | Promise<void>;
  /**
   * Holds the most a model call can cost, for tools that know it only after reading. Returns the granted output tokens.
   * @throws WaypostError `payment_required`
   */
  reserve(hold: HoldRequest): Promise<number>;
  /**
   * Records what a model used, to be billed when the call ends. The model is one of those the hold names. Returns what the
   * call will cost so far, in nano-USD: 0 without a hold.
   */
  charge(usage: TokenUsage, note: { model: string; estimated?: boolean }): number;
  /** Notes a model that did not answer and cost nothing, for the account of the call. */
  tried(model: string, why: NotAnswered): void;
  /**
   * Ends the call with an error but bills what was recorded with `charge`: for work that was done and paid for upstream.
   * Any other error thrown by `run` releases the hold and bills nothing.
   */
  failBilled(code: ErrorCode, detail: string, extras?: ErrorExtras): never;
}

/** What a tool with a `dialect` answers when nothing was streamed. */
export interface DialectReply {
  status: number;
  contentType: string;
  body: string;
  /** The model that answered, and how it was chosen: these APIs have no word for it. */
  model?: string | undefined;
  why?: string | undefined;
}

export interface ToolDefinition<I extends z.ZodType, O extends z.ZodType> {
  /** snake_case, the name on both doors. */
  name: string;
  title: string;
  /** For an agent that chooses: purpose, when to use, when not, what comes back, which tool follows. */
  description: string;
  /** null: any good credential may call it. */
  scope: Scope | null;
  annotations: {
    readOnlyHint: boolean;
    destructiveHint?: boolean;
    idempotentHint?: boolean;
    openWorldHint: boolean;
  };
  /** Strict object at module scope: building schemas per request was the largest cost measured. */
  input: I;
  output: O;
  /** Path below `/v1`; `{name}` segments and query parameters are fields of the input. */
  rest: {
    method: "get" | "post" | "patch" | "delete";
    path: `/${string}`;
    /** What stands at the end of the path may hold slashes. */
    slashes?: true;
  };
  /** Offered over REST only: what a program or operator does and an agent should not. */
  restOnly?: boolean;
  /** The result holds a secret that is shown once, so it is never kept for a replay. */
  secretResult?: boolean;
  /** True when `run` uses a model, so that the call is booked when it ends and not when it is admitted. */
  metered?: boolean;
  /** True when `run` emits deltas: REST then offers server-sent events, MCP sends progress. */
  streams?: boolean;
  /** True when `run` stops where it is once it is cancelled: an MCP client can end it then. What streams can be ended anyway. */
  cancellable?: boolean;
  /** True for what tells of the rate windows: they do not count it, and being full do not refuse it. Only where it costs nothing. */
  uncounted?: boolean;
  /** What to ask of the usage report in the admission itself, so that reading it costs no second hop. */
  reads?: (input: z.output<I>) => UsageReads;
  /** True when `run` makes its answer of what the admission told, and waits for nothing: it is over before its client can leave. */
  atOnce?: boolean;
  /** True when the model that the account prefers decides what the call does, and costs: told in `call.preferred`. */
  prefers?: (input: z.output<I>) => boolean;
  /** The saved session the call belongs to, for reports. */
  session?: (input: z.output<I>) => string | undefined;
  /** Adds what is known only when the call is settled: the same for its repetitions. */
  settled?: (output: z.output<O>, settlement: Settlement, callId: string) => z.output<O>;
  /**
   * The tool answers in another API's words, errors included: its output is a `DialectReply`, and a streamed answer is the
   * `bytes` it emits. Its body goes to it whole, with `stream` in it.
   */
  dialect?: "openai" | "anthropic";
  /** Media type of what REST answers with: the pieces `run` emits, as they come, in place of the result. */
  media?: "text/csv";
  /** The most the call can cost, if the input alone tells; absent = free or reserved later with `call.reserve`. */
  quote?: (input: z.output<I>, models: Models) => HoldRequest | undefined;
  run: (call: Call, input: z.output<I>) => Promise<z.output<O>>;
  /** What is answered to a client that waits no longer, while the call goes on and its result goes into the session. */
  later?: (call: { callId: string; attempt: string; session: string }) => z.output<O>;
  /** The text channel: must stand alone for clients that ignore structured content. */
  text: (output: z.output<O>) => string;
}

/** Typed identity function: a tool is data. */
export function defineTool<I extends z.ZodType, O extends z.ZodType>(tool: ToolDefinition<I, O>): ToolDefinition<I, O> {
  return tool;
}

export type Tool = ToolDefinition<z.ZodType, z.ZodType>;
