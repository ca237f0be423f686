import type { IncomingMessage, ServerResponse } from "node:http";
import { answer } from "./answers.ts";
import { breakOff, breakOffWhole } from "./breaks.ts";
import { completions, json, readBody, type ServedRequest } from "./server.ts";

/**
 * What stands behind the `AI` binding: `POST /workers-ai/<model>` in the words of older models, whose streams name no reason
 * to end. `POST /workers-ai/v1/chat/completions` is a newer model, which speaks OpenAI's.
 */
export async function workersAi(
  request: IncomingMessage,
  response: ServerResponse,
  log: ServedRequest[],
): Promise<void> {
  if (request.url?.endsWith("/chat/completions")) return completions(request, response, log);
  const model = decodeURIComponent(request.url?.slice("/workers-ai/".length) ?? "");
  const body = JSON.parse(await readBody(request)) as {
    messages?: { role: string; content: string }[];
    text?: string[];
    stream?: boolean;
    max_tokens?: number;
    tools?: object[];
  };
  const name = model.slice(model.lastIndexOf("/") + 1);
  const fail = /^fail-(\d{3})$/.exec(name);
  if (fail) {
    const error = { errors: [{ code: 3040, message: "secret upstream words, key sk-secret" }], success: false };
    return json(response, Number(fail[1]), error);
  }
  if (name === "wrong-content-type") {
    response.writeHead(200, { "content-type": "text/html" }).end("<html>secret upstream page</html>");
    return;
  }
  if (body.text) {
    const data = body.text.map((text) => [text.length, 0.5, -1.25]);
    return json(response, 200, { shape: [data.length, 3], data, pooling: "mean" });
  }
  const given = answer(name, body.messages ?? [], body.max_tokens ?? 256);
  const usage = given.usage;
  if (body.tools) {
    const tool_calls = [{ name: "weather", arguments: { city: "Zürich" } }];
    return json(response, 200, { response: null, tool_calls, usage });
  }
  if (!body.stream) {
    const text = JSON.stringify({ response: given.pieces.join(""), usage });
    if (await breakOffWhole(name, response, text)) return;
    return json(response, 200, JSON.parse(text));
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const frame = (fields: object): string => `data: ${JSON.stringify({ ...fields, p: "abc" })}\n\n`;
  const half = Math.ceil(given.pieces.length / 2);
  for (const [i, piece] of given.pieces.entries()) {
    if (i === half && (await breakOff(name, response, (text) => frame({ response: text })))) return;
    response.write(frame({ response: piece }));
  }
  response.end(`${frame({ response: "", usage })}data: [DONE]\n\n`);
}
