import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Silence } from "./silence.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched(ms: number) {
  const onSilent = vi.fn();
  return { silence: new Silence(ms, onSilent), onSilent };
}

it("tells of a silence that lasts, once, and of none that is broken in time", () => {
  const { silence, onSilent } = watched(100);
  for (let i = 0; i < 5; i++) {
    silence.begin();
    vi.advanceTimersByTime(90);
    silence.pause();
  }
  vi.advanceTimersByTime(500);
  expect(onSilent).not.toHaveBeenCalled();
  silence.begin();
  vi.advanceTimersByTime(200);
  expect(onSilent).toHaveBeenCalledTimes(1);
});

it("listens as long again as its timer was late: an answer may have come meanwhile", () => {
  const { silence, onSilent } = watched(100);
  silence.begin();
  vi.setSystemTime(Date.now() + 600); // The isolate was busy, its timers did not go off.
  vi.advanceTimersByTime(100);
  vi.advanceTimersByTime(590);
  expect(onSilent).not.toHaveBeenCalled();
  silence.pause();
  vi.advanceTimersByTime(1_000);
  expect(onSilent).not.toHaveBeenCalled();
  silence.begin();
  vi.setSystemTime(Date.now() + 600);
  vi.advanceTimersByTime(700);
  expect(onSilent).toHaveBeenCalledTimes(1);
});

it("watches on when the silence that was doubtful has ended and another begun", () => {
  const { silence, onSilent } = watched(100);
  silence.begin();
  vi.advanceTimersByTime(110);
  silence.pause();
  silence.begin();
  vi.advanceTimersByTime(90);
  expect(onSilent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60);
  expect(onSilent).toHaveBeenCalledTimes(1);
});
