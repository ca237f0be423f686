import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { readBody } from "./server.ts";

/**
 * A stand-in for providers that fall silent and never end: on loopback, in OpenAI's chat completions, its responses, and
 * Anthropic's messages. A model's name begins with how it does it.
 */

export type How = "slow" | "burst" | "headed" | "mute";

/** Words that are sent before the silence. */
export const WORDS: Record<How, string[]> = {
  slow: words(5),
  burst: words(600),
  headed: [],
  mute: [],
};
export const INPUT = 9;

export interface Silent {
  model: string;
  /** ms since the epoch; when the connection was closed from the other side. */
  cutAt: number | undefined;
}

export interface SilentServer {
  url: string;
  asked: Silent[];
  close(): Promise<void>;
}

export async function startSilent(): Promise<SilentServer> {
  const asked: Silent[] = [];
  const server = createServer(async (request, response) => {
    const { model } = JSON.parse(await readBody(request)) as { model: string };
    const entry: Silent = { model, cutAt: undefined };
    asked.push(entry);
    response.on("close", () => {
      entry.cutAt = Date.now();
    });
    await speak(request.url ?? "", model.split("-")[0] as How, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function speak(path: string, how: How, response: ServerResponse): Promise<void> {
  if (how === "mute") return;
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  if (how === "headed") return;
  const dialect = DIALECTS[path];
  if (!dialect) throw new Error(`no ${path} here`);
  response.write(dialect.begin);
  for (const word of WORDS[how]) {
    if (how === "slow") await pause(20);
    else await new Promise(setImmediate);
    response.write(dialect.word(word));
  }
}

function words(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `tide${i}${i === count - 1 ? "END" : " "}`);
}

const frame = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
const typed = (type: string, data: object): string => `event: ${type}\n${frame({ type, ...data })}`;

const DIALECTS: Record<string, { begin: string; word: (content: string) => string }> = {
  "/v1/chat/completions": {
    begin: frame({ choices: [{ index: 0, delta: { role: "assistant", content: "" } }] }),
    word: (content) => frame({ choices: [{ index: 0, delta: { content } }] }),
  },
  "/v1/responses": {
    begin: typed("response.created", { response: { id: "resp_1", output: [] } }),
    word: (delta) => typed("response.output_text.delta", { output_index: 0, content_index: 0, delta }),
  },
  "/v1/messages": {
    begin:
      typed("message_start", {
        message: { id: "msg_1", role: "assistant", content: [], usage: { input_tokens: INPUT, output_tokens: 1 } },
      }) + typed("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    word: (text) => typed("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
  },
};
