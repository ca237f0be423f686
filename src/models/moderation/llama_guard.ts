import { limited } from "../../time_limit.ts";
import type { AiBinding } from "../providers/workers_ai.ts";
import { available, together } from "./openai.ts";
import { pieces } from "./pieces.ts";
import type { Exhibit, Moderator, Verdict } from "./types.ts";

export const LLAMA_GUARD = "@cf/meta/llama-guard-3-8b";

const PATIENCE_MS = 10_000;

/** Llama Guard 3 on Workers AI: judges the last message of a conversation. */
export function llamaGuard(ai: AiBinding): Moderator {
  const id = `workers-ai/${LLAMA_GUARD}`;
  const ask = async (messages: { role: string; content: string }[], signal: AbortSignal): Promise<Verdict> => {
    const run = { returnRawResponse: true, signal } as const;
    const response = (await ai.run(LLAMA_GUARD, { messages, max_tokens: 64 }, run)) as Response;
    if (!response.ok) throw new Error(`status ${response.status}`);
    const body = (await response.json()) as { response?: unknown; result?: { response?: unknown } } | null;
    return readVerdict(body?.result?.response ?? body?.response);
  };
  return {
    id,
    judge: ({ side, text, question }: Exhibit, signal) =>
      available(id, signal, async () => {
        const verdicts: Verdict[] = [];
        for (const piece of pieces(text)) {
          const asked = { role: "user", content: side === "input" ? piece : pieces(question ?? "").at(-1) || "-" };
          const messages = side === "input" ? [asked] : [asked, { role: "assistant", content: piece }];
          verdicts.push(await limited(PATIENCE_MS, signal, (end) => ask(messages, end)));
        }
        return together(verdicts);
      }),
  };
}

/** "safe", or "unsafe" and on the next line its categories, or the same as an object. @throws Error for anything else */
export function readVerdict(response: unknown): Verdict {
  if (response && typeof response === "object") {
    const { safe, categories } = response as { safe?: unknown; categories?: unknown };
    if (typeof safe !== "boolean") throw new Error("a verdict that says nothing");
    return { flagged: !safe, categories: safe || !Array.isArray(categories) ? [] : categories.map(String).sort() };
  }
  const [word = "", ...codes] = String(response ?? "")
    .trim()
    .split(/[\s,]+/);
  if (word === "safe" && codes.length === 0) return { flagged: false, categories: [] };
  if (word !== "unsafe" || codes.some((code) => !/^S\d{1,2}$/.test(code))) throw new Error("not a verdict");
  return { flagged: true, categories: codes.sort() };
}
