/** The answers of Workers AI's older models in OpenAI's words. Pure. */

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An answer; undefined when it is none that could be understood, or already in OpenAI's words. */
export function nativeAnswer(text: string): Fields | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const answer = isObject(json) && isObject(json.result) ? json.result : json;
  return isObject(answer) && !("choices" in answer) ? answer : undefined;
}

/** A `chat.completion`; undefined when the text is to be left as it is. */
export function completionOf(text: string, model: string, maxTokens: unknown): string | undefined {
  const answer = nativeAnswer(text);
  if (!answer || !("response" in answer || "tool_calls" in answer)) return undefined;
  const calls = toolCallsOf(answer.tool_calls);
  const message = {
    role: "assistant",
    content: wordsOf(answer.response),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
  const finish_reason = finishOf(calls.length > 0, answer.usage, maxTokens);
  return JSON.stringify({
    id: `chatcmpl-${crypto.randomUUID()}`,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model,
    choices: [{ index: 0, message, finish_reason }],
    ...(isObject(answer.usage) ? { usage: answer.usage } : {}),
  });
}

/** They do not say why they ended: an answer as long as was allowed was cut. */
export function finishOf(callsTools: boolean, usage: unknown, maxTokens: unknown): string {
  if (callsTools) return "tool_calls";
  const written = isObject(usage) ? usage.completion_tokens : undefined;
  return typeof written === "number" && typeof maxTokens === "number" && written >= maxTokens ? "length" : "stop";
}

/** An answer to a JSON schema comes as the object itself. */
export function wordsOf(response: unknown): string {
  if (typeof response === "string") return response;
  return response === undefined || response === null ? "" : JSON.stringify(response);
}

export function toolCallsOf(calls: unknown): Fields[] {
  if (!Array.isArray(calls)) return [];
  return calls.flatMap((call: unknown, index) => {
    if (!isObject(call)) return [];
    if (isObject(call.function)) return [{ index, ...call }];
    const { name, arguments: given = {} } = call;
    const text = typeof given === "string" ? given : JSON.stringify(given);
    return [{ index, id: `call_${crypto.randomUUID()}`, type: "function", function: { name, arguments: text } }];
  });
}

/** OpenAI takes one text or several. */
export const textsOf = (input: unknown): unknown => (Array.isArray(input) ? input : [input]);

/** OpenAI's list of embeddings; undefined when the text is to be left as it is. */
export function embeddingsOf(text: string, model: string, format: unknown): string | undefined {
  const data = nativeAnswer(text)?.data;
  if (!Array.isArray(data) || !data.every(isVector)) return undefined;
  const usage = nativeAnswer(text)?.usage;
  return JSON.stringify({
    object: "list",
    model,
    data: data.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: format === "base64" ? inBase64(vector) : vector,
    })),
    ...(isObject(usage) ? { usage } : {}),
  });
}

const isVector = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isFinite);

/** Little-endian floats of 32 bits, as OpenAI's own clients ask for. */
function inBase64(vector: number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [i, value] of vector.entries()) view.setFloat32(i * 4, value, true);
  const bytes = new Uint8Array(view.buffer);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
