import type { WaypostError } from "../errors.ts";

/** One structured line a call: ids, counts and times, never content. */
export interface CallLog {
  event: "call";
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

/** Lines wait this long for company: under load a write a line would cost more than the call it reports. */
const GATHER_MS = 100;
const GATHER_LINES = 200;
/** A gathering this old was cut off with the request it waited in. */
const STALE_MS = 1_000;
let gathered: string[] = [];
let gatheringSince: number | null = null;

/** Logs a call. `waitUntil` keeps the isolate for the line that would otherwise be lost. */
export function logCall(line: CallLog, waitUntil: (work: Promise<unknown>) => void): void {
  gathered.push(JSON.stringify(line));
  const now = Date.now();
  if (gathered.length >= GATHER_LINES || (gatheringSince !== null && now - gatheringSince > STALE_MS)) {
    writeLog();
  } else if (gatheringSince === null) {
    gatheringSince = now;
    waitUntil(new Promise<void>((resolve) => setTimeout(resolve, GATHER_MS)).then(writeLog));
  }
}

/** Writes the lines that wait. */
export function writeLog(): void {
  gatheringSince = null;
  if (gathered.length > 0) console.log(gathered.join("\n"));
  gathered = [];
}

/** Somebody or something that was not let in. The details of such errors name kinds and reasons, never what was presented. */
export function logRefusal(surface: string, requestId: string, { code, detail }: WaypostError): void {
  console.log(JSON.stringify({ event: "refused", surface, request_id: requestId, code, detail }));
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
