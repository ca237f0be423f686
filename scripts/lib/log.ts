import { appendFileSync, existsSync, renameSync, statSync } from "node:fs";

const LARGEST_BYTES = 16 * 1024 * 1024;
const EVERY_MS = 200;

export interface LogFile {
  write(level: string, message: string, timestamp?: number): void;
  /** Writes what is still in memory. */
  close(): void;
}

/**
 * The log of one state directory: what the Worker prints, one line each. Errors are shown on standard error as well.
 * When the file has grown to 16 MiB it becomes `<file>.1`, in place of an earlier one.
 */
export function openLog(file: string): LogFile {
  let pending = "";
  let bytes = existsSync(file) ? statSync(file).size : 0;
  const flush = () => {
    if (pending === "") return;
    if (bytes > LARGEST_BYTES) {
      renameSync(file, `${file}.1`);
      bytes = 0;
    }
    appendFileSync(file, pending, { mode: 0o600 });
    bytes += Buffer.byteLength(pending);
    pending = "";
  };
  const timer = setInterval(flush, EVERY_MS).unref();
  return {
    write(level, message, timestamp = Date.now()) {
      const time = new Date(timestamp).toISOString();
      // The Worker's own lines are JSON objects already, and may come several at once; anything else becomes one.
      const own = message.split("\n");
      const lines = own.every((line) => line.startsWith('{"'))
        ? own.map((line) => `{"time":"${time}",${line.slice(1)}\n`).join("")
        : `${JSON.stringify({ time, level, message })}\n`;
      pending += lines;
      if (level === "error") process.stderr.write(lines);
    },
    close() {
      clearInterval(timer);
      flush();
    },
  };
}
