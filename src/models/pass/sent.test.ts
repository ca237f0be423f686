import { describe, expect, it } from "vitest";
import { randomFrom } from "../../../test/random.ts";
import { StreamTap } from "./tap.ts";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const frame = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
const created = (more: object = {}) =>
  frame("response.created", {
    sequence_number: 0,
    response: { id: "resp_7", model: "m", status: "in_progress", ...more },
  });
/** Says its number only inside of a text, where it is none, besides where it is. */
const delta = (n: number, text = 'a "sequence_number":99 月'): string =>
  frame("response.output_text.delta", { sequence_number: n, output_index: 0, delta: text });

function begunBy(wire: string, dialect: "openai-responses" | "openai-chat" = "openai-responses", ends = false) {
  const tap = new StreamTap(dialect, false, () => {});
  const bytes = bytesOf(wire);
  for (let at = 0; at < bytes.length; at += 16_384) tap.push(bytes.slice(at, at + 16_384));
  if (ends) tap.end();
  return tap.begun;
}

describe("a response that has begun to pass", () => {
  it("is known by its first event, and its next number by the last that was sent", () => {
    expect(begunBy(created() + delta(1) + delta(2))).toEqual({
      response: { id: "resp_7", model: "m", status: "in_progress" },
      next: 3,
    });
  });

  it("whatever the pieces it comes in, without the event that is not whole", () => {
    const random = randomFrom(3);
    const whole = bytesOf(created() + Array.from({ length: 9 }, (_, i) => delta(i + 1)).join(""));
    const ends = [...new TextDecoder("latin1").decode(whole).matchAll(/\n\n/g)].map(({ index }) => index + 2);
    for (let run = 0; run < 300; run++) {
      const tap = new StreamTap("openai-responses", false, () => {});
      const cut = Math.floor(random() * whole.length);
      for (let at = 0; at < cut; ) {
        const to = Math.min(cut, at + 1 + Math.floor(random() * 90));
        tap.push(whole.slice(at, to));
        at = to;
      }
      if (random() < 0.5) tap.end();
      const sent = ends.filter((end) => end <= cut).length;
      expect(tap.begun?.next).toBe(sent === 0 ? undefined : sent);
    }
  });

  it("is not what is left when the stream ends, nor the event that told of the failure", () => {
    expect(begunBy(created() + delta(1) + delta(2).trimEnd(), "openai-responses", true)?.next).toBe(2);
    expect(begunBy(created() + delta(1) + frame("error", { sequence_number: 2, message: "x" }))?.next).toBe(2);
  });

  it("comments are no events", () => {
    expect(begunBy(`: hello\n\n${created()}${delta(1)}: still there\n\n`)).toMatchObject({
      response: { id: "resp_7" },
      next: 2,
    });
    expect(begunBy(`${created()}: before\n${delta(1)}`)?.next).toBe(2);
    expect(begunBy(": only\n\n")).toBeUndefined();
  });

  it("events too long to be held tell their id and number all the same", () => {
    const long = "x".repeat(200_000);
    expect(begunBy(created({ instructions: long }) + delta(1, long))).toEqual({ response: { id: "resp_7" }, next: 2 });
  });

  it("without numbers, or in another dialect, there is nothing to go on from", () => {
    expect(begunBy(frame("response.created", { response: { id: "resp_1" } }))).toMatchObject({ next: 0 });
    expect(begunBy('data: {"id":"x","choices":[]}\n\n', "openai-chat")).toBeUndefined();
  });
});
