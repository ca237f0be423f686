import type { IncomingMessage, ServerResponse } from "node:http";
import { errorBody } from "./breaks.ts";
import { json, readBody, type ServedRequest } from "./server.ts";

interface EmbeddingRequest {
  model: string;
  input: string | string[] | number[] | number[][];
  encoding_format?: "float" | "base64";
}

/** OpenAI's embeddings: eight numbers a text, made of its letters. `fail-<status>` fails; `nonsense-embedding` is no answer. */
export async function serveEmbeddings(
  request: IncomingMessage,
  response: ServerResponse,
  log: ServedRequest[],
): Promise<void> {
  const body = JSON.parse(await readBody(request)) as EmbeddingRequest;
  const texts = textsIn(body.input);
  const tokens = texts.reduce((sum, text) => sum + text.length, 0);
  const entry: ServedRequest = {
    n: log.length + 1,
    model: body.model,
    stream: false,
    status: Number(/^fail-(\d{3})$/.exec(body.model)?.[1] ?? 200),
    usage: { prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens },
    pieces: 0,
    completed: true,
    authorization: request.headers.authorization ?? null,
  };
  log.push(entry);
  if (entry.status !== 200)
    return json(response, entry.status, errorBody("secret upstream words", "upstream_error", `code_${entry.status}`));
  if (body.model === "nonsense-embedding") return json(response, 200, { object: "list" });
  const data = texts.map((text, index) => ({ object: "embedding", index, embedding: embed(text, body) }));
  json(response, 200, {
    object: "list",
    data,
    model: body.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

/** Every text as its words, or its ids. */
function textsIn(input: EmbeddingRequest["input"]): (string[] | number[])[] {
  if (typeof input === "string") return [input.split(/\s+/)];
  if (input.every((item) => typeof item === "number")) return [input as number[]];
  return (input as (string | number[])[]).map((item) => (typeof item === "string" ? item.split(/\s+/) : item));
}

function embed(text: string[] | number[], { encoding_format }: EmbeddingRequest): number[] | string {
  const numbers = new Float32Array(8);
  for (const [i, word] of text.entries()) numbers[i % 8] = String(word).length / 8;
  return encoding_format === "base64" ? Buffer.from(numbers.buffer).toString("base64") : [...numbers];
}
