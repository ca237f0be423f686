import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { errorBody } from "./breaks.ts";
import { json, readBody, type ServedRequest } from "./server.ts";

/** What words are flagged for. */
const RULES: [RegExp, string][] = [
  [/\bflagviolence\b/i, "violence"],
  [/\bflagself\b/i, "self-harm/intent"],
  [/\bflag phrase in two\b/i, "harassment"],
];
const CATEGORIES = ["harassment", "self-harm/intent", "sexual", "violence"];

/**
 * OpenAI's moderation endpoint: a verdict a text, by the words in it. Named in the model, it fails: `fail-500`, `fail-429`,
 * `wrong-content-type`, `no-results`, `short` (a verdict too few), `slow`.
 */
export async function moderations(
  request: IncomingMessage,
  response: ServerResponse,
  log: ServedRequest[],
): Promise<void> {
  const body = JSON.parse(await readBody(request)) as { model: string; input: string | string[] };
  const texts = [body.input].flat();
  log.push({
    n: log.length + 1,
    model: `moderations/${body.model}`,
    stream: false,
    status: 200,
    usage: null,
    pieces: texts.length,
    completed: true,
    authorization: request.headers.authorization ?? null,
    body: { model: body.model, messages: texts.map((content) => ({ role: "user", content })) },
  });
  const fail = /^fail-(\d{3})$/.exec(body.model);
  if (fail) return json(response, Number(fail[1]), errorBody("secret upstream words", "server_error", "code"));
  if (body.model === "wrong-content-type") return void response.writeHead(200).end("<html>secret</html>");
  if (body.model === "no-results") return json(response, 200, { id: "modr-1" });
  if (body.model === "slow") await sleep(15_000, undefined, { ref: false });
  if (body.model === "short") texts.pop();
  const results = texts.map((text) => {
    const held = new Set(RULES.filter(([words]) => words.test(text)).map(([, category]) => category));
    return {
      flagged: held.size > 0,
      categories: Object.fromEntries(CATEGORIES.map((name) => [name, held.has(name)])),
      category_scores: Object.fromEntries(CATEGORIES.map((name) => [name, held.has(name) ? 0.99 : 0.0001])),
    };
  });
  json(response, 200, { id: `modr-${log.length}`, model: body.model, results });
}

const HAZARDS: Record<string, string> = { violence: "S1", "self-harm/intent": "S11", harassment: "S10" };

/**
 * Llama Guard as Workers AI answers without its envelope: "safe", or "unsafe" and the codes, for the last message. The
 * words `guard broken` and `guard object` make it answer with nonsense and as an object.
 */
export async function llamaGuard(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { messages } = JSON.parse(await readBody(request)) as { messages: { role: string; content: string }[] };
  const last = messages.at(-1)?.content ?? "";
  if (messages[0]?.role !== "user") return json(response, 400, { errors: [{ code: 5006, message: "secret" }] });
  if (last.includes("guard broken")) return json(response, 200, { response: "I am not sure, secret" });
  const codes = RULES.filter(([words]) => words.test(last)).map(([, category]) => HAZARDS[category] as string);
  const word = codes.length > 0 ? `unsafe\n${codes.join(",")}` : "safe";
  const object = { safe: codes.length === 0, categories: codes };
  json(response, 200, {
    response: last.includes("guard object") ? object : `\n\n${word}`,
    usage: { prompt_tokens: 212, completion_tokens: 2, total_tokens: 214 },
  });
}
