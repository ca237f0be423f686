import { createServer, type Socket } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

/**
 * A provider that streams as many chunks as the model's name says (`chunks-1000`), each written by itself, no faster than
 * they are read.
 *
 *   node bench/lib/stream_upstream.ts      prints {"url": "http://127.0.0.1:<port>"}
 */
const frame = (fields: object) =>
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_700_000_000, model: "m", ...fields })}\n\n`;
const http = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

async function answer(socket: Socket, request: string): Promise<void> {
  const chunks = Number(/"model": ?"chunks-(\d+)"/.exec(request)?.[1] ?? 10);
  const usage = { prompt_tokens: 20, completion_tokens: chunks, total_tokens: 20 + chunks };
  socket.write("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
  for (let i = 0; i < chunks && !socket.destroyed; i++) {
    const delta = { content: `tide${i} ` };
    if (!socket.write(http(frame({ choices: [{ index: 0, delta, finish_reason: null }], usage: null }))))
      await new Promise((resolve) => {
        socket.once("drain", resolve);
        socket.once("close", resolve);
      });
    await turn();
  }
  socket.write(http(frame({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: null })));
  if (request.includes('"include_usage":true')) socket.write(http(frame({ choices: [], usage })));
  socket.write(`${http("data: [DONE]\n\n")}0\r\n\r\n`);
}

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  let held = "";
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes) => {
    held += bytes.toString("latin1");
    const head = held.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = /content-length: *(\d+)/i.exec(held.slice(0, head))?.[1];
    const end = length === undefined ? held.indexOf("0\r\n\r\n", head) + 5 : head + 4 + Number(length);
    if (end < head + 4 || held.length < end) return;
    const request = held.slice(0, end);
    held = held.slice(end);
    void answer(socket, request);
  });
}

const server = createServer(serve).listen(0, "127.0.0.1", () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
