import { describe, expect, it } from "vitest";
import { randomFrom } from "../../test/random.ts";
import { SlidingWindows } from "./windows.ts";

const LIMITS = { minute: 10, hour: 60, day: 200 };
const MINUTE = 60_000;

const admitted = (windows: SlidingWindows, now: number) => {
  if (windows.measure(now, LIMITS).some((state) => state.remaining === 0)) return false;
  windows.take(now);
  return true;
};

const within = (times: number[], end: number, span: number) =>
  times.filter((at) => at > end - span && at <= end).length;

describe("sliding windows", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "never exceed a limit in any trailing window, also over restarts (seed %i)",
    (seed) => {
      const next = randomFrom(seed);
      let windows = new SlidingWindows();
      const times: number[] = [];
      let now = 1_700_000_000_000;
      for (let i = 0; i < 6_000; i++) {
        now += Math.floor(next() * (next() < 0.1 ? 20 * MINUTE : 9_000));
        if (next() < 0.01) windows = new SlidingWindows(JSON.parse(JSON.stringify(windows.snapshot(now))));
        if (admitted(windows, now)) times.push(now);
      }
      expect(times.length).toBeGreaterThan(300);
      for (const at of times) {
        expect(within(times, at, MINUTE)).toBeLessThanOrEqual(LIMITS.minute);
        expect(within(times, at, 60 * MINUTE)).toBeLessThanOrEqual(LIMITS.hour);
        expect(within(times, at, 1_440 * MINUTE)).toBeLessThanOrEqual(LIMITS.day);
      }
    },
  );

  it("say to the millisecond when the minute has room again", () => {
    const windows = new SlidingWindows();
    const start = 1_700_000_000_000;
    for (let i = 0; i < 10; i++) expect(admitted(windows, start + i * 1_000)).toBe(true);
    const now = start + 12_345;
    expect(admitted(windows, now)).toBe(false);
    const wait = windows.measure(now, LIMITS)[0]?.retryAfterMs as number;
    expect(wait).toBe(MINUTE - 12_345);
    expect(admitted(windows, now + wait - 1)).toBe(false);
    expect(admitted(windows, now + wait)).toBe(true);
    expect(admitted(windows, now + wait)).toBe(false);
  });

  it("do not let calls in twice when the clock steps back", () => {
    const windows = new SlidingWindows();
    const start = 1_700_000_000_000;
    for (let i = 0; i < 10; i++) admitted(windows, start);
    expect(admitted(windows, start - 10 * MINUTE)).toBe(false);
  });

  it("measure without counting", () => {
    const windows = new SlidingWindows();
    for (let i = 0; i < 100; i++) windows.measure(1_700_000_000_000 + i, LIMITS);
    expect(windows.measure(1_700_000_000_200, LIMITS).map((state) => state.remaining)).toEqual([10, 60, 200]);
  });
});
