import { createServer, type Socket } from "node:net";

/**
 * The fastest provider there can be, so that what is measured is the gateway: one answer, written out beforehand, to every
 * request for chat completions, whole or as a stream, over connections that are kept.
 *
 *   node bench/lib/upstream.ts      prints {"url": "http://127.0.0.1:<port>"}
 */
const pieces = "The tide follows the moon, and the moon keeps its own time, so bring a table and a watch."
  .match(/\S+\s*/g)
  ?.concat() as string[];
const usage = { prompt_tokens: 20, completion_tokens: pieces.length, total_tokens: 20 + pieces.length };
const common = { id: "chatcmpl-1", created: 1_700_000_000, model: "quick" };

const whole = http(
  "application/json",
  JSON.stringify({
    ...common,
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content: pieces.join("") }, finish_reason: "stop" }],
    usage,
  }),
);
const chunk = (fields: object) =>
  `data: ${JSON.stringify({ ...common, object: "chat.completion.chunk", ...fields })}\n\n`;
const streamed = http(
  "text/event-stream",
  [
    ...pieces.map((content) => chunk({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })),
    chunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
    chunk({ choices: [], usage }),
    "data: [DONE]\n\n",
  ].join(""),
);

function http(type: string, body: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  let held = "";
  socket.on("error", () => socket.destroy());
  socket.on("data", (bytes) => {
    held += bytes.toString("latin1");
    for (;;) {
      const head = held.indexOf("\r\n\r\n");
      if (head < 0) return;
      const length = Number(/content-length: *(\d+)/i.exec(held.slice(0, head))?.[1] ?? 0);
      const end = head + 4 + length;
      if (held.length < end) return;
      socket.write(/"stream": ?true/.test(held.slice(head, end)) ? streamed : whole);
      held = held.slice(end);
    }
  });
}

const server = createServer(serve).listen(0, "127.0.0.1", () => {
  const { port } = server.address() as { port: number };
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`);
});
