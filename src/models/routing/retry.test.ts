import { describe, expect, it } from "vitest";
import { type ErrorCode, WaypostError } from "../../errors.ts";
import { ProviderRefusal } from "../provider_refusal.ts";
import { type Failure, judge } from "./retry.ts";

const verdictOn = (error: WaypostError, more: Partial<Failure> = {}, random = () => 0.5) =>
  judge({ error, tries: 1, leftMs: 60_000, ...more }, random);
const plain = (code: ErrorCode) => new WaypostError(code, "It failed.");
const answered = (code: ErrorCode, status: number, waitS?: number) =>
  new ProviderRefusal(code, "It failed.", { retry_after: 5 }, status, waitS);

describe("after a failure", () => {
  it.each(["provider_busy", "provider_failed", "provider_unreachable", "provider_timeout"] as const)(
    "%s: the same model again",
    (code) => expect(verdictOn(plain(code))).toEqual({ kind: "again", waitMs: 125 }),
  );

  it("the pause is anywhere below a step, and the step doubles", () => {
    const most = (tries: number) => verdictOn(plain("provider_failed"), { tries }, () => 0.999_999);
    expect([1, 2, 3].map(most)).toEqual([
      { kind: "again", waitMs: 249 },
      { kind: "again", waitMs: 499 },
      { kind: "next" },
    ]);
    expect(verdictOn(plain("provider_failed"), {}, () => 0)).toEqual({ kind: "again", waitMs: 0 });
  });

  it("silence is met once more, then the next model is asked", () => {
    expect(verdictOn(plain("provider_timeout"), { tries: 2 })).toEqual({ kind: "next" });
  });

  it("Retry-After is kept to, and never come back before", () => {
    for (const random of [() => 0, () => 0.999]) {
      const verdict = verdictOn(answered("provider_busy", 429, 2), {}, random);
      expect(verdict.kind === "again" && verdict.waitMs).toBeGreaterThanOrEqual(2000);
    }
    expect(verdictOn(answered("provider_busy", 429, 5))).toMatchObject({ kind: "again" });
    expect(verdictOn(answered("provider_busy", 429, 6))).toEqual({ kind: "next" });
    expect(verdictOn(answered("provider_failed", 503, 60))).toEqual({ kind: "next" });
  });

  it("a wait of less than a second is no whole one", () => {
    expect(verdictOn(answered("provider_busy", 429, 0.3))).toEqual({ kind: "again", waitMs: 425 });
  });

  it("advice made up here for the caller is no Retry-After", () => {
    expect(verdictOn(answered("provider_busy", 429))).toEqual({ kind: "again", waitMs: 125 });
  });

  it("no pause goes beyond the call's time", () => {
    expect(verdictOn(answered("provider_busy", 429, 3), { leftMs: 3200 })).toEqual({ kind: "next" });
    expect(verdictOn(plain("provider_failed"), { leftMs: 400 })).toEqual({ kind: "stop" });
  });

  it.each(["provider_refused", "context_too_long", "client_closed", "invalid_input", "internal", "conflict"] as const)(
    "%s ends the call",
    (code) => {
      expect(verdictOn(plain(code))).toEqual({ kind: "stop" });
    },
  );

  it.each([401, 402, 403, 404, 429])(
    "a provider that refuses us with %d is passed over, while there is time",
    (status) => {
      expect(verdictOn(answered("provider_refused", status))).toEqual({ kind: "next" });
      expect(verdictOn(answered("provider_refused", status), { leftMs: 400 })).toEqual({ kind: "stop" });
    },
  );

  it.each([302, 400, 422])("one that refuses the request with %d is not", (status) => {
    expect(verdictOn(answered("provider_refused", status))).toEqual({ kind: "stop" });
  });
});
