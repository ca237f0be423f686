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
      // The Worker's own lines are JSON objects already; anything else becomes one.
      const line = message.startsWith('{"')
        ? `{"time":"${time}",${message.slice(1)}`
        : JSON.stringify({ time, level, message });
      pending += `${line}\n`;
      if (level === "error") process.stderr.write(`${line}\n`);
    },
    close() {
      clearInterval(timer);
      flush();
    },
  };
}
