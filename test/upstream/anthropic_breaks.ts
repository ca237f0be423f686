import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { anthropicError } from "./anthropic.ts";

/** The ways in which a message is broken off in the middle, by the model's name; true when the answer ends here. */

const delta = (text: string): string =>
  `event: content_block_delta\ndata: ${JSON.stringify({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })}\n\n`;

export async function breakMessage(model: string, response: ServerResponse): Promise<boolean> {
  switch (model) {
    case "cut-mid-stream":
      // Let what was written leave first: the client must have seen half of it.
      await sleep(50);
      response.destroy();
      return true;
    case "end-mid-stream":
      response.end();
      return true;
    case "overloaded-mid-stream":
      response.end(`event: error\ndata: ${JSON.stringify(anthropicError("overloaded_error"))}\n\n`);
      return true;
    case "error-mid-stream":
      response.end(`event: error\ndata: ${JSON.stringify(anthropicError("api_error"))}\n\n`);
      return true;
    case "malformed-chunk":
      response.end('event: content_block_delta\ndata: {"type": "content_block_delta", "delta": oops\n\n');
      return true;
    case "nonsense-chunk":
      response.end('event: content_block_delta\ndata: {"type": "content_block_delta", "delta": "none"}\n\n');
      return true;
    case "silent-mid-stream":
      await sleep(15_000, undefined, { ref: false });
      response.destroy();
      return true;
    case "huge-line":
      response.end(delta("x".repeat(4 * 1024 * 1024)));
      return true;
    case "pings":
      for (let i = 0; i < 20; i++) {
        response.write('event: ping\ndata: {"type": "ping"}\n\n');
        response.write('event: of_tomorrow\ndata: {"type": "of_tomorrow", "what": 1}\n\n');
      }
  }
  return false;
}

export async function breakWholeMessage(model: string, response: ServerResponse, text: string): Promise<boolean> {
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
      begin().end('{"type": "message", "content": "none"}');
      return true;
    case "error-mid-stream":
    case "overloaded-mid-stream":
      begin().end(JSON.stringify(anthropicError("api_error")));
      return true;
    case "silent-mid-stream":
      begin().write(half);
      await sleep(15_000, undefined, { ref: false });
      response.destroy();
      return true;
  }
  return false;
}
