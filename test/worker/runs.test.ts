import { describe, expect, it } from "vitest";
import { AnswerLog } from "../../src/runs/answer_log.ts";
import { sseFrames } from "../../src/runs/frames.ts";
import { readerOf } from "../../src/runs/reader.ts";
import { parseEventId } from "../../src/runs/wire.ts";
import { randomFrom } from "../random.ts";
import { readEvents } from "./both_doors.ts";

/** What a call has sent, read from any place, in any rhythm. */

const frames = sseFrames("call_a");
const pieceOf = (random: () => number) => "αb😀 c".repeat(Math.ceil(random() * 20)).slice(0, Math.ceil(random() * 90));

function reading(log: AnswerLog, from: number, over: () => boolean) {
  const closed = { count: 0 };
  const last = () => (over() ? "event: done\ndata: {}\n\n" : undefined);
  const stream = readerOf({ log, from, frames, last, keepAliveMs: 15_000, closed: () => void closed.count++ });
  return { reader: stream.getReader(), closed };
}

async function all(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
}

const textOf = (raw: string) =>
  readEvents(raw)
    .filter(({ event }) => event === "delta")
    .map(({ data }) => data.text as string)
    .join("");

describe("a log", () => {
  it.each([1, 2, 3, 4, 5])(
    "gives the same words from every id it named, however the pieces came (%d)",
    async (seed) => {
      const random = randomFrom(seed);
      const log = new AnswerLog();
      let whole = "";
      let over = false;
      const { reader } = reading(log, 0, () => over);
      const live = all(reader);
      for (let i = 0; i < 400; i++) {
        const text = pieceOf(random);
        whole += text;
        log.add({ type: "delta", text });
        if (random() < 0.1) log.add({ type: "progress", progress: i });
        if (random() < 0.3) await new Promise((resolve) => setTimeout(resolve, 0));
      }
      over = true;
      log.wake();
      const raw = await live;
      expect(textOf(raw)).toBe(whole);
      const ids = [...raw.matchAll(/^id: (.*)$/gm)].map(([, id]) => parseEventId(id)?.after as number);
      expect(ids).toEqual(ids.toSorted((a, b) => a - b));
      let read = "";
      for (const frame of raw.split("\n\n").filter((each) => each.includes("event: "))) {
        read += textOf(`${frame}\n\n`);
        const id = parseEventId(/^id: (.*)$/m.exec(frame)?.[1]);
        if (!id) continue;
        expect(read + textOf(await all(reading(log, id.after, () => true).reader))).toBe(whole);
      }
    },
  );

  it("takes no more room for many pieces than for their text, and a slow reader gets it in few frames", async () => {
    const log = new AnswerLog();
    const { reader, closed } = reading(log, 0, () => log.length === 20_000);
    await reader.read();
    for (let i = 0; i < 2_000; i++) log.add({ type: "delta", text: "ten chars " });
    expect(log.entries.length).toBeLessThanOrEqual(5);
    const raw = await all(reader);
    expect(textOf(raw)).toBe("ten chars ".repeat(2_000));
    expect(readEvents(raw)).toHaveLength(2);
    expect(closed.count).toBe(1);
  });

  it("knows when its reader has left", async () => {
    const { reader, closed } = reading(new AnswerLog(), 0, () => false);
    await reader.read();
    const waiting = reader.read();
    await reader.cancel();
    await waiting;
    expect(closed.count).toBe(1);
  });
});

it.each([
  null,
  undefined,
  "",
  "x",
  "call_a",
  "call_a:",
  "call_a:-1",
  "call_a:1.5",
  "call_A:1",
  "call_a:1:2",
  "call_a:9999999999",
])("%j is no id of an event", (id) => expect(parseEventId(id)).toBeNull());
