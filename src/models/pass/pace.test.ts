import { describe, expect, it } from "vitest";
import { Pace } from "./pace.ts";

/** So many wakes a second for so many milliseconds, from `now` on. Returns the time after them. */
function woken(pace: Pace, now: number, rate: number, ms: number): number {
  const wakes = (rate * ms) / 1_000;
  for (let i = 0; i < wakes; i++) pace.woken(Math.floor(now + (i * ms) / wakes));
  return now + ms;
}

describe("the pace of an isolate", () => {
  it("is quick while few pieces come, however long", () => {
    const pace = new Pace();
    woken(pace, 1_000_000, 100, 20_000);
    expect([pace.gatherMs, pace.fastMs, pace.aheadBytes]).toEqual([8, 1, 65_536]);
  });

  it("slows down under many and no further than readers bear, and quickens when they are gone", () => {
    const pace = new Pace();
    let now = woken(pace, 1_000_000, 5_000, 60);
    expect(pace.gatherMs).toBe(16);
    now = woken(pace, now, 5_000, 2_000);
    expect([pace.gatherMs, pace.fastMs, pace.aheadBytes]).toEqual([32, 32, 16_384]);
    now = woken(pace, now, 1_000, 2_000);
    expect(pace.gatherMs).toBe(32);
    woken(pace, now, 100, 2_000);
    expect([pace.gatherMs, pace.fastMs]).toEqual([8, 1]);
  });

  it("bears a clock that is set back", () => {
    const pace = new Pace();
    woken(pace, 1_000_000, 5_000, 2_000);
    woken(pace, 500_000, 100, 2_000);
    expect(pace.gatherMs).toBe(8);
  });
});
