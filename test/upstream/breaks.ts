import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** The ways in which a provider breaks off an answer, by the model's name. */

export const errorBody = (message: string, type: string, code: string) => ({
  error: { message, type, param: null, code },
});

/** Failures in the middle of a stream; true when the answer ends here. */
export async function breakOff(
  model: string,
  response: ServerResponse,
  delta: (text: string) => string,
): Promise<boolean> {
  switch (model) {
    case "cut-mid-stream":
      // Let what was written leave first: the client must have seen half of it.
      await sleep(50);
      response.destroy();
      return true;
    case "end-mid-stream":
      response.end();
      return true;
    case "malformed-chunk":
      response.end('data: {"choices": [{"delta": {"content": oops\n\n');
      return true;
    case "nonsense-chunk":
      response.end('data: {"choices": "none"}\n\n');
      return true;
    case "error-chunk":
      response.end(`data: ${JSON.stringify(errorBody("secret upstream words", "server_error", "overloaded"))}\n\n`);
      return true;
    case "silent-mid-stream":
      await sleep(15_000, undefined, { ref: false });
      response.destroy();
      return true;
    case "huge-line":
      response.end(delta("x".repeat(4 * 1024 * 1024)));
      return true;
    case "endless": {
      const block = delta("y".repeat(64 * 1024));
      while (!response.destroyed) {
        response.write(block);
        await sleep(1);
      }
      return true;
    }
  }
  return false;
}

/** The failures of `breakOff` for an answer that is not streamed; true when the answer ends here. */
export async function breakOffWhole(model: string, response: ServerResponse, text: string): Promise<boolean> {
  const half = text.slice(0, text.length / 2);
  const begin = (): ServerResponse => response.writeHead(200, { "content-type": "application/json" });
  switch (model) {
    case "cut-mid-stream":
      begin().write(half);
      await sleep(50);
      response.destroy();
      return true;
    case "end-mid-stream":
    case "malformed-chunk":
      begin().end(half);
      return true;
    case "nonsense-chunk":
      begin().end('{"choices": "none"}');
      return true;
    case "error-chunk":
      begin().end(JSON.stringify(errorBody("secret upstream words", "server_error", "overloaded")));
      return true;
    case "silent-mid-stream":
      begin().write(half);
      await sleep(15_000, undefined, { ref: false });
      response.destroy();
      return true;
    case "huge-line":
    case "endless": {
      begin().write('{"choices": [{"message": {"content": "');
      while (!response.destroyed) {
        response.write("y".repeat(64 * 1024));
        await sleep(1);
      }
      return true;
    }
  }
  return false;
}

/** Sends what is written as some servers do: lines end in CRLF, comments lie between, and writes cut characters in two. */
export function oddly(response: ServerResponse): void {
  const write = response.write.bind(response);
  response.write = (text: string): boolean => {
    const bytes = Buffer.from(`: waiting\r\n\r\n${text.replaceAll("\n", "\r\n")}`);
    for (let at = 0; at < bytes.length; at += 5) write(bytes.subarray(at, at + 5));
    return true;
  };
}

/** Prompts whose first request was cut. */
const cutOnce = new Set<string>();
let firstRequests = 0;

/** `cut-at-times`: of every eighth prompt the first request is cut before it is answered, as when a kept connection ends. */
export function cutsAtTimes(model: string, prompt: string): boolean {
  if (model !== "cut-at-times" || cutOnce.has(prompt) || ++firstRequests % 8 !== 0) return false;
  cutOnce.add(prompt);
  return true;
}

const flakyServed = new Map<string, number>();

/**
 * `flaky-2-500-then-ok…` fails twice before it answers, `flaky-1-429-after-1-then-ok…` once, with a Retry-After of a second.
 * Counted by the whole name, so that a test that ends it in something of its own has it to itself.
 */
export function flakyFailure(model: string): { status: number; retryAfter: string | undefined } | undefined {
  const found = /^flaky-(\d+)-(\d{3})(?:-after-(\d+))?-then-ok/.exec(model);
  if (!found) return undefined;
  const served = (flakyServed.get(model) ?? 0) + 1;
  flakyServed.set(model, served);
  return served <= Number(found[1]) ? { status: Number(found[2]), retryAfter: found[3] } : undefined;
}
