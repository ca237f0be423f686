/** One structured line a call: ids, counts and times, never content. */
export interface CallLog {
  request_id: string;
  call_id?: string;
  account?: string;
  key_id?: string;
  via: "mcp" | "rest";
  tool: string;
  status: string;
  replayed?: boolean;
  cost_nano?: number;
  duration_ms: number;
}

export function logCall(line: CallLog): void {
  console.log(JSON.stringify({ event: "call", ...line }));
}

/** A failure nobody foresaw: its kind and where, without its message, which may hold anything. */
export function logFailure(where: string, requestId: string, error: unknown): void {
  const name = error instanceof Error ? error.name : typeof error;
  const at =
    error instanceof Error
      ? (error.stack ?? "")
          .split("\n")
          .find((line) => line.includes(" at "))
          ?.trim()
      : undefined;
  console.error(JSON.stringify({ event: "failure", where, request_id: requestId, error: name, at }));
}
