import { describe, expect, test } from "vitest";
import { EventReader, EventTooLong } from "./sse.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Everything a stream says, given in pieces of `size` bytes. */
function read(text: string, size: number): string[] {
  const reader = new EventReader();
  const all = bytes(text);
  const events: string[] = [];
  for (let at = 0; at < all.length; at += size) events.push(...reader.push(all.subarray(at, at + size)));
  return [...events, ...reader.end()];
}

describe.each([1, 2, 3, 7, 1000])("events in pieces of %i bytes", (size) => {
  test.each([
    ["LF", "\n"],
    ["CRLF", "\r\n"],
    ["CR", "\r"],
  ])("lines end in %s", (_, end) => {
    const text = ["data: one", "", "data:two", "", "data:  three", "", "data: [DONE]", "", ""].join(end);
    expect(read(text, size)).toEqual(["one", "two", " three", "[DONE]"]);
  });

  test("characters of several bytes survive being split", () => {
    expect(read("data: Zürich 東京 🌊\n\ndata: é\n\n", size)).toEqual(["Zürich 東京 🌊", "é"]);
  });

  test("comments and other fields are passed over, lines of one event are joined", () => {
    const text = ": waiting\n\nevent: x\nid: 7\nretry: 10\ndata: a\n: in between\ndata: b\n\n: end\n\n";
    expect(read(text, size)).toEqual(["a\nb"]);
  });

  test("what an ended stream left behind counts", () => {
    expect(read("data: a\n\ndata: [DONE]", size)).toEqual(["a", "[DONE]"]);
    expect(read("data: a\n\ndata: b\n", size)).toEqual(["a", "b"]);
  });

  test("a byte order mark at the start is no part of it", () => {
    expect(read("\uFEFFdata: a\n\n", size)).toEqual(["a"]);
  });
});

test("bytes come out as they went in, whatever the cuts", () => {
  const events = Array.from({ length: 200 }, (_, i) => JSON.stringify({ i, text: "ä€😀".repeat(i % 7) }));
  const text = events.map((event, i) => `data: ${event}${i % 3 ? "\r\n\r\n" : "\n\n"}`).join("");
  for (const size of [1, 5, 64, 1024]) expect(read(text, size)).toEqual(events);
});

describe("what no server should send", () => {
  const block = bytes("x".repeat(64 * 1024));
  test("a line without end", () => {
    const reader = new EventReader();
    reader.push(bytes("data: "));
    expect(() => {
      for (let i = 0; i < 17; i++) reader.push(block);
    }).toThrow(EventTooLong);
  });

  test("an event of lines without end", () => {
    const reader = new EventReader();
    expect(() => {
      for (let i = 0; i < 17; i++) reader.push(bytes(`data: ${"x".repeat(64 * 1024)}\n`));
    }).toThrow(EventTooLong);
  });
});
