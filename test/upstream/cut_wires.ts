import { randomFrom } from "../random.ts";

/** Long answers in three dialects, their bytes and the places where they are cut, all from a seed. */

export const PATHS = {
  "openai-chat": "/v1/chat/completions",
  "openai-responses": "/v1/responses",
  "anthropic-messages": "/v1/messages",
} as const;

export type CutDialect = keyof typeof PATHS;

export interface CutWire {
  bytes: Uint8Array;
  /** Of each piece, in order; `pauseMs`: before it, where it does not come at once. */
  pieces: { length: number; pauseMs: number }[];
}

const SAID = [
  "tide ",
  "Ebbe & Flut ",
  "月の",
  "\u{1f30a} ",
  'a "quoted" one ',
  "two\nlines ",
  '"usage":{} ',
  "[DONE] ",
  "z".repeat(700),
];

type Say = (text: string) => string;

const json = (data: object): string => `data: ${JSON.stringify(data)}`;
const typed = (type: string, data: object): string => `event: ${type}\n${json({ type, ...data })}`;

const CHAT_USAGE = { prompt_tokens: 12, completion_tokens: 34, total_tokens: 46 };
const USAGE = { input_tokens: 12, output_tokens: 34 };

const WIRES: Record<CutDialect, { begin: string[]; say: Say; end: string[] }> = {
  "openai-chat": {
    begin: [json({ id: "x", choices: [{ index: 0, delta: { role: "assistant", content: "" } }] }), ": a comment"],
    say: (content) => json({ id: "x", choices: [{ index: 0, delta: { content }, finish_reason: null }], usage: null }),
    end: [
      json({ id: "x", choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
      json({ id: "x", choices: [], usage: CHAT_USAGE }),
      "data: [DONE]",
    ],
  },
  "openai-responses": {
    begin: [typed("response.created", { response: { id: "resp_1", error: null, usage: null } })],
    say: (delta) => typed("response.output_text.delta", { output_index: 0, content_index: 0, delta }),
    end: [typed("response.completed", { response: { id: "resp_1", status: "completed", error: null, usage: USAGE } })],
  },
  "anthropic-messages": {
    begin: [
      typed("message_start", { message: { id: "msg_1", content: [], usage: { input_tokens: 12, output_tokens: 1 } } }),
      typed("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
      typed("ping", {}),
    ],
    say: (text) => typed("content_block_delta", { index: 0, delta: { type: "text_delta", text } }),
    end: [
      typed("content_block_stop", { index: 0 }),
      typed("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 34 } }),
      typed("message_stop", {}),
    ],
  },
};

/** Hundreds of pieces in bursts, some of a byte and some of kilobytes. */
export function cutWire(dialect: CutDialect, seed: number): CutWire {
  const random = randomFrom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const { begin, say, end } = WIRES[dialect];
  const said = Array.from({ length: 300 + Math.floor(random() * 500) }, () => say(pick(SAID)));
  const ending = pick(["\n", "\r\n"]);
  const text = [...begin, ...said, ...end].map((event) => `${event}\n\n`.replaceAll("\n", ending)).join("");
  const bytes = new TextEncoder().encode(text);
  const mean = pick([40, 80, 150, 150, 400]);
  const pauses = pick([0, 0.005, 0.02]);
  const pieces: CutWire["pieces"] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Math.min(bytes.length - at, random() < 0.1 ? 1 : 1 + Math.floor(random() * 2 * mean));
    pieces.push({ length, pauseMs: random() < pauses ? Math.floor(random() * 15) : 0 });
    at += length;
  }
  return { bytes, pieces };
}
