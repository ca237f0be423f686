import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import type { z } from "zod";
import type { Scope } from "../auth/scopes.ts";
import { toProblem, WaypostError } from "../errors.ts";
import type { CallOutcome, CallRequest } from "../gate/gate.ts";
import type { Handle } from "../runs/wire.ts";
import type { Tool, ToolDefinition } from "../tools/define.ts";
import type { Asks } from "./elicit/asks.ts";
import type { Round } from "./elicit/rounds.ts";

/** How a server of one request reaches the gate. */
export interface Exchange {
  requestId: string;
  /** Only a call with `asks` may end with a question. */
  call: (
    request: Pick<CallRequest, "tool" | "input" | "idempotencyKey" | "emit"> & { asks?: Asks },
  ) => Promise<CallOutcome | Handle | Round>;
  /** The tools its URL asks for; absent: all. */
  tools?: readonly Tool[];
  /** What the caller may do; absent while nobody asked, which is for the gate to find out. */
  scopes?: readonly string[];
  /** In a session of a client of 2025: which resources it wants to hear of. Absent: there is no stream to tell it on. */
  hears?: { subscribe(uri: string): void | Promise<void>; unsubscribe(uri: string): void | Promise<void> };
}

/** A call that succeeded. */
export type Done<Output> = Extract<CallOutcome, { ok: true }> & { output: Output };

export const may = ({ scopes }: Exchange, scope: Scope): boolean => scopes?.includes(scope) ?? true;

/**
 * Calls the tool that a read is the same as: admitted, counted, priced and logged as that.
 * @throws ProtocolError with the problem in its data
 */
export async function called<I extends z.ZodType, O extends z.ZodType>(
  exchange: Exchange,
  tool: ToolDefinition<I, O>,
  input: z.input<I>,
  about: Record<string, unknown> = {},
): Promise<Done<z.output<O>>> {
  const outcome = await exchange.call({ tool: tool as unknown as Tool, input });
  if (!("ok" in outcome)) throw new Error(`${tool.name} ends while its client waits`);
  if (!outcome.ok) throw refusal(outcome.error, exchange.requestId, about);
  return outcome as Done<z.output<O>>;
}

/** A failure as JSON-RPC tells it: the problem document is its data. */
export function refusal(error: WaypostError, requestId: string, about: Record<string, unknown> = {}): ProtocolError {
  const problem = toProblem(error, requestId);
  const message = `${problem.title}. ${problem.detail} ${problem.next}`;
  return new ProtocolError(codeOf(error), message, { ...problem, ...about });
}

/** @throws ProtocolError `invalid_input` */
export function invalid(exchange: Exchange, path: string, message: string): never {
  throw refusal(
    new WaypostError("invalid_input", `${path}: ${message}`, { issues: [{ path, message }] }),
    exchange.requestId,
  );
}

/** What is wrong with the request is -32602, a missing resource too; what the server failed at -32603; the rest is ours. */
function codeOf({ status }: WaypostError): number {
  if (status === 400 || status === 404) return ProtocolErrorCode.InvalidParams;
  return status >= 500 ? ProtocolErrorCode.InternalError : -32_000;
}
