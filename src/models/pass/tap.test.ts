import { describe, expect, it } from "vitest";
import { randomFrom } from "../../../test/random.ts";
import type { DialectName } from "../dialects/types.ts";
import { StreamTap } from "./tap.ts";
import { WORDS } from "./words.ts";

/** Byte-for-byte equality of what passes, for any boundaries between the pieces it comes in. */

const RUNS = 400;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (pieces: Uint8Array[]): string => new TextDecoder().decode(join(pieces));

function join(pieces: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Cuts bytes at random places, sometimes between any two. */
function cut(bytes: Uint8Array, random: () => number): Uint8Array[] {
  const mean = [1, 3, 20, 200, 5_000][Math.floor(random() * 5)] as number;
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + Math.floor(random() * 2 * mean));
    pieces.push(bytes.slice(at, end));
    at = end;
  }
  return pieces;
}

function passed(dialect: DialectName, unasked: boolean, pieces: Uint8Array[], answers = 1) {
  let said = "";
  const heard = (piece: string): void => {
    said += piece;
  };
  const tap = new StreamTap(dialect, unasked, heard, answers);
  const out = pieces.flatMap((piece) => tap.push(piece));
  out.push(...tap.end());
  return { out: join(out), said, tap };
}

const WORDS_SAID = [
  "moon ",
  "tide ",
  "Ebbe & Flut ",
  "月の",
  "\u{1f30a} ",
  'a "quoted" one ',
  "back\\slash ",
  "two\nlines ",
  '"usage":{} ',
  '"error" ',
  "[DONE] ",
];

interface Wire {
  events: string[];
  /** The event that only holds the report. */
  report: string;
  rest: string[];
  said: string;
}

const USAGE = {
  prompt_tokens: 12,
  completion_tokens: 34,
  total_tokens: 46,
  prompt_tokens_details: { cached_tokens: 4 },
};

function chat(random: () => number): Wire {
  const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)] as T;
  const space = random() < 0.3 ? " " : "";
  const frame = (body: object): string => {
    const json = JSON.stringify(body);
    return `data:${space}${random() < 0.3 ? json.replace('"choices":', '"choices" : ') : json}`;
  };
  const piece = (delta: object, finish_reason: string | null = null): string =>
    frame({ id: "x", choices: [{ index: 0, delta, finish_reason }], usage: null });
  const said = Array.from({ length: Math.floor(random() * 30) }, () => pick(WORDS_SAID));
  const events = [piece({ role: "assistant", content: "" }), ...said.map((content) => piece({ content }))];
  if (random() < 0.3) events.splice(1, 0, ": a comment", "event: odd\nid: 7\ndata: {}");
  events.push(piece({ tool_calls: [{ index: 0, function: { arguments: '{"usage":{"a":1}}' } }] }), piece({}, "stop"));
  return {
    events,
    report: frame({ id: "x", choices: [], usage: USAGE }),
    rest: ["data: [DONE]"],
    said: `${said.join("")}{"usage":{"a":1}}`,
  };
}

const ENDS = ["\n", "\r\n", "\r"];

describe("a passing stream of chat completions", () => {
  it.each(["\n", "\r\n", "\r", "mixed"])("with lines that end in %j is what it was, wherever it is cut", (kind) => {
    const random = randomFrom(kind.length * 31 + 7);
    for (let run = 0; run < RUNS; run++) {
      const wire = chat(random);
      const end = () => (kind === "mixed" ? (ENDS[Math.floor(random() * 2)] as string) : kind);
      const write = (events: string[]) =>
        events.map((event) => `${event.replaceAll("\n", end())}${end()}${end()}`).join("");
      const [before, report, after] = [write(wire.events), write([wire.report]), write(wire.rest)];
      const unasked = random() < 0.5;
      const { out, said, tap } = passed("openai-chat", unasked, cut(bytesOf(before + report + after), random));
      expect(new TextDecoder().decode(out)).toBe(unasked ? before + after : before + report + after);
      expect(said).toBe(wire.said);
      expect(tap.usage).toEqual({ input: 8, output: 34, cacheRead: 4 });
      expect([tap.finished, tap.failed]).toEqual([true, false]);
    }
  });

  it("is let through as soon as an event is whole", () => {
    const tap = new StreamTap("openai-chat", true, () => {});
    const event = 'data: {"choices":[{"delta":{"content":"a"}}]}\n\n';
    expect(text(tap.push(bytesOf(event)))).toBe(event);
    expect(text(tap.push(bytesOf(`${event}data: {"cho`)))).toBe(event);
    expect(text(tap.push(bytesOf('ices":[]}\n')))).toBe("");
    expect(text(tap.push(bytesOf("\n")))).toBe('data: {"choices":[]}\n\n');
  });

  it("keeps a report that is part of another event, and an empty event of another kind", () => {
    const wire =
      'data: {"choices":[{"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\ndata: {"choices":[]}\n\ndata: [DONE]\n\n';
    const { out, tap } = passed("openai-chat", true, [bytesOf(wire)]);
    expect(new TextDecoder().decode(out)).toBe(wire);
    expect(tap.usage).toEqual({ input: 1, output: 2 });
  });

  it("ends before the provider's words about a failure", () => {
    for (const spaced of ["", " "]) {
      const good = 'data: {"choices":[{"delta":{"content":"a"}}],"error":null}\n\n';
      const bad = `data: {"error":${spaced}{"message":"secret"}}\n\n`;
      const { out, tap } = passed("openai-chat", true, [bytesOf(good + bad + good)]);
      expect(new TextDecoder().decode(out)).toBe(good);
      expect(tap.failed).toBe(true);
    }
  });

  it("tells what each event holds, however many come at once and alike", () => {
    const event = (content: string, more = "") =>
      `data: {"choices":[{"delta":{"content":"${content}"},"finish_reason":null}],"usage":null${more}}\n\n`;
    const report = 'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n';
    // The same bytes twice, names as values, a name that begins where an event ends, a text that never ends.
    const same = event("a") + event("content") + event("usage") + event("error", ',"error":null');
    const open = 'data: {"choices":[{"delta":{"content":"open}]}\n\n';
    const pieces = [same, same, event("b"), report + event("c"), open + event("d")].map(bytesOf);
    const { out, said, tap } = passed("openai-chat", true, pieces);
    expect(new TextDecoder().decode(out)).toBe(same + same + event("b") + event("c") + open + event("d"));
    expect(said).toBe(`${"acontentusageerror".repeat(2)}bcopen}]}\n\nd`);
    expect([tap.usage, tap.failed]).toEqual([{ input: 1, output: 2 }, false]);
  });

  it("that stops early is not finished", () => {
    const { tap } = passed("openai-chat", true, [
      bytesOf('data: {"choices":[{"delta":{"content":"a"},"finish_reason":null}]}\n\n'),
    ]);
    expect([tap.finished, tap.usage]).toEqual([false, null]);
  });

  it("that has said why it ended is finished, though no report and no last word follow", () => {
    const event = (reason: string, index = 0) =>
      `data: {"choices":[{"index":${index},"delta":{"content":"a"},"finish_reason" : ${reason}}]}\n\n`;
    const finished = (wire: string, answers = 1) => {
      const { out, tap } = passed("openai-chat", true, [bytesOf(wire)], answers);
      expect(new TextDecoder().decode(out)).toBe(wire);
      return tap.finished;
    };
    expect(finished(event("null") + event('"stop"'))).toBe(true);
    expect(finished(event("null"))).toBe(false);
    // Some servers have no word for an answer that goes on but an empty one; others quote the name.
    expect(finished(event('""'))).toBe(false);
    expect(finished(event("null").replace('"a"', '"\\"finish_reason\\": \\"stop\\""'))).toBe(false);
    // Of two answers the other may have been cut.
    expect(finished(event('"stop"') + event('"stop"'), 2)).toBe(false);
    expect(finished(event('"stop"') + event('"length"', 1), 2)).toBe(true);
  });

  it("holds back no more than a little of an endless event, and finds a report at its end", () => {
    const random = randomFrom(5);
    const wire = `data: {"choices":[{"delta":{"content":"${"y".repeat(4_000_000)}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":9}}\n\ndata: [DONE]\n\n`;
    const tap = new StreamTap("openai-chat", true, () => {});
    let came = 0;
    let went = 0;
    const out: Uint8Array[] = [];
    for (const piece of cut(bytesOf(wire), () => Math.max(random(), 0.9))) {
      came += piece.length;
      for (const sent of tap.push(piece)) {
        went += sent.length;
        out.push(sent);
      }
      expect(came - went).toBeLessThan(80_000);
    }
    expect(text([...out, ...tap.end()])).toBe(wire);
    expect(tap.usage).toEqual({ input: 3, output: 9 });
    expect(tap.finished).toBe(true);
  });
});

describe("streams of the other dialects", () => {
  const random = randomFrom(11);
  const event = (type: string, body: object) => `event: ${type}\ndata: ${JSON.stringify({ type, ...body })}\n\n`;

  it("Anthropic's messages", () => {
    const wire = [
      event("message_start", {
        message: { id: "m", usage: { input_tokens: 20, cache_read_input_tokens: 5, output_tokens: 1 } },
      }),
      event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
      event("ping", {}),
      event("content_block_delta", { index: 0, delta: { type: "text_delta", text: "Hällo \u{1f30a}" } }),
      event("content_block_delta", { index: 1, delta: { type: "input_json_delta", partial_json: '{"a":' } }),
      event("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 77 } }),
      event("message_stop", {}),
    ].join("");
    for (let run = 0; run < RUNS; run++) {
      const { out, said, tap } = passed("anthropic-messages", false, cut(bytesOf(wire), random));
      expect(new TextDecoder().decode(out)).toBe(wire);
      expect(said).toBe('Hällo \u{1f30a}{"a":');
      expect([tap.usage, tap.finished]).toEqual([{ input: 20, cacheRead: 5, output: 77 }, true]);
    }
    const begun = passed("anthropic-messages", false, [bytesOf(wire.slice(0, 400))]).tap;
    expect([begun.usage, begun.finished]).toEqual([null, false]);
    expect(begun.usageSoFar).toMatchObject({ input: 20 });
    const failed = passed("anthropic-messages", false, [
      bytesOf(event("error", { error: { type: "overloaded_error" } })),
    ]);
    expect([failed.tap.failed, failed.tap.overloaded, failed.out.length]).toEqual([true, true, 0]);
    const broken = passed("anthropic-messages", false, [bytesOf(event("error", { error: { type: "api_error" } }))]).tap;
    expect([broken.failed, broken.overloaded]).toEqual([true, false]);
    const reasoned = passed("anthropic-messages", false, [
      bytesOf(event("message_start", { message: { stop_reason: null } })),
      bytesOf(event("message_delta", { delta: { stop_reason: "end_turn" } })),
    ]).tap;
    expect([reasoned.finished, reasoned.usage]).toEqual([true, null]);
  });

  it("OpenAI's responses", () => {
    const response = { id: "r", error: null, usage: null };
    const usage = { input_tokens: 30, output_tokens: 40, output_tokens_details: { reasoning_tokens: 10 } };
    const wire = [
      event("response.created", { response }),
      event("response.output_text.delta", { delta: "Hello " }),
      event("response.output_text.delta", { delta: "tide" }),
      event("response.output_text.done", { text: "Hello tide" }),
      event("response.completed", {
        response: { ...response, output: [{ text: "z".repeat(200_000) }], usage, metadata: { a: "b}" } },
      }),
    ].join("");
    for (let run = 0; run < 50; run++) {
      const { out, said, tap } = passed(
        "openai-responses",
        false,
        cut(bytesOf(wire), () => Math.max(0.5, random())),
      );
      expect(new TextDecoder().decode(out) === wire).toBe(true);
      expect(said).toBe("Hello tide");
      expect(tap.usage).toEqual({ input: 30, output: 30, reasoning: 10 });
      expect(tap.finished).toBe(true);
    }
    expect(Object.keys(WORDS)).toHaveLength(3);
  });
});
