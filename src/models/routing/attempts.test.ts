import { describe, expect, it } from "vitest";
import { type ErrorCode, WaypostError } from "../../errors.ts";
import { EXTRACTIVE } from "../extractive.ts";
import { ProviderRefusal } from "../provider_refusal.ts";
import type { ChatModel } from "../types.ts";
import { Delivered, type TryingCall, untilAnswered, type World } from "./attempts.ts";
import { Breakers } from "./breaker.ts";

const model = (id: string): ChatModel => ({
  info: { ...EXTRACTIVE, id, provider: id.split("/")[0] as string, name: id.split("/")[1] as string },
  stream: () => {
    throw new Error("not asked here");
  },
});
const error = (code: ErrorCode) => new WaypostError(code, `It was ${code}.`);

/** Runs with a clock that only sleeping and trying move. `script`: what each try at a model comes to. */
async function run(
  script: Record<string, (ErrorCode | "ok" | Error)[]>,
  more: Partial<TryingCall> & { world?: World } = {},
) {
  const clock = { now: 0 };
  const slept: number[] = [];
  const world: World = more.world ?? {
    now: () => clock.now,
    random: () => 0.5,
    sleep: async (ms) => {
      slept.push(ms);
      clock.now += ms;
    },
    breakers: new Breakers(() => clock.now),
  };
  const asked: string[] = [];
  const passedOver: string[] = [];
  const call: TryingCall = {
    account: "a",
    passedOver: (id) => passedOver.push(id),
    deadline: 60_000,
    signal: new AbortController().signal,
    ...more,
  };
  const outcome = await untilAnswered(
    Object.keys(script).map(model),
    call,
    async ({ info }) => {
      asked.push(info.id);
      clock.now += 100;
      const next = script[info.id]?.shift() ?? "ok";
      if (next === "ok") return `answer of ${info.id}`;
      throw next instanceof Error ? next : error(next);
    },
    world,
  ).then(
    (reply) => ({ reply, error: undefined }),
    (thrown: WaypostError) => ({ reply: undefined, error: thrown }),
  );
  return { ...outcome, asked, passedOver, slept, world, clock };
}

const five: ErrorCode[] = Array.from({ length: 5 }, () => "provider_failed");

describe("models are asked", () => {
  it("once, when the first answers: nothing is waited for", async () => {
    const { reply, asked, slept } = await run({ "p/a": ["ok"], "q/b": ["ok"] });
    expect(reply).toMatchObject({ answer: "answer of p/a", attempts: [{ model: "p/a", outcome: "ok" }] });
    expect([asked, slept]).toEqual([["p/a"], []]);
  });

  it("three times each at most, then the next", async () => {
    const { reply, asked, slept } = await run({ "p/a": [...five], "q/b": ["provider_busy", "ok"] });
    expect(asked).toEqual(["p/a", "p/a", "p/a", "q/b", "q/b"]);
    expect(slept).toEqual([125, 250, 125]);
    expect(reply?.attempts.map(({ outcome }) => outcome)).toEqual([
      "provider_failed",
      "provider_failed",
      "provider_failed",
      "provider_busy",
      "ok",
    ]);
  });

  it("until none is left: the last failure is told, with what was tried", async () => {
    const { error: thrown } = await run({ "p/a": [...five], "q/b": ["provider_timeout", "provider_timeout"] });
    expect(thrown?.code).toBe("provider_timeout");
    expect(thrown?.extras.attempts).toHaveLength(5);
  });

  it("and a single failure carries no list", async () => {
    const { error: thrown } = await run({ "p/a": ["context_too_long"] });
    expect(thrown?.extras).not.toHaveProperty("attempts");
  });

  it("never again once words were delivered", async () => {
    const cut = new Delivered("provider_failed", "Cut. A part of the answer had been sent.");
    const { error: thrown, asked } = await run({ "p/a": [cut], "q/b": ["ok"] });
    expect(thrown).toBe(cut);
    expect(asked).toEqual(["p/a"]);
  });

  it("never again once the caller has gone, be it during the pause", async () => {
    const controller = new AbortController();
    const { asked, error: thrown } = await run(
      { "p/a": [...five], "q/b": ["ok"] },
      {
        signal: controller.signal,
        world: {
          now: () => 0,
          random: () => 0.5,
          sleep: async () => controller.abort(),
          breakers: new Breakers(() => 0),
        },
      },
    );
    expect([asked, thrown?.code]).toEqual([["p/a"], "provider_failed"]);
  });

  it("not beyond the deadline", async () => {
    const { asked, clock, error: thrown } = await run({ "p/a": [...five], "q/b": [...five] }, { deadline: 900 });
    expect(thrown?.code).toBe("provider_failed");
    expect(clock.now).toBeLessThanOrEqual(900);
    expect(asked.length).toBeLessThan(5);
  });

  it("and a fault of our own is no failure of theirs", async () => {
    const { error: thrown, asked, world } = await run({ "p/a": [new TypeError("oops")], "q/b": ["ok"] });
    expect(thrown).toBeInstanceOf(TypeError);
    expect([asked, world.breakers.size]).toEqual([["p/a"], 0]);
  });
});

describe("a provider that keeps failing an account", () => {
  it("is passed over, in the middle of a call too, and asked again later", async () => {
    const first = await run({ "p/a": [...five] });
    const { world, clock } = first;
    const second = await run({ "p/a": [...five], "q/b": ["ok"] }, { world });
    expect(second.asked).toEqual(["p/a", "p/a", "q/b"]);
    const third = await run({ "p/a": ["ok"] }, { world });
    expect(third.asked).toEqual([]);
    expect(third.error).toMatchObject({ code: "provider_failed", extras: { retry_after: 15 } });
    const other = await run({ "p/a": ["ok"] }, { world, account: "b" });
    expect(other.asked).toEqual(["p/a"]);
    clock.now += 15_000;
    expect((await run({ "p/a": ["ok"] }, { world, deadline: 1e9 })).asked).toEqual(["p/a"]);
    expect(world.breakers.size).toBe(0);
  });

  it("is well when it does not accept a request, which a word of ours does not tell", async () => {
    const theirs = new ProviderRefusal("invalid_input", "It did not accept it.", {}, 400);
    const ours = new WaypostError("invalid_input", "It was never asked.");
    for (const [refusal, circuits] of [
      [theirs, 0],
      [ours, 1],
    ] as const) {
      const { world } = await run({ "p/a": ["provider_failed", refusal] });
      expect(world.breakers.size).toBe(circuits);
    }
  });

  it("is told as passed over, once a call, where it was not asked at all", async () => {
    const { world } = await run({ "p/a": [...five] });
    // The fifth failure in a row opens the circuit: what was asked in this call is told by its failures.
    const opening = await run({ "p/a": [...five], "q/b": ["ok"] }, { world });
    expect(opening.reply?.attempts.map(({ outcome }) => outcome)).toEqual(["provider_failed", "provider_failed", "ok"]);
    const second = await run({ "p/a": ["ok"], "p/c": ["ok"], "q/b": ["provider_busy", "ok"] }, { world });
    expect(second.reply?.attempts).toEqual([
      { model: "p/a", outcome: "passed_over" },
      { model: "p/c", outcome: "passed_over" },
      { model: "q/b", outcome: "provider_busy" },
      { model: "q/b", outcome: "ok" },
    ]);
    expect([opening.passedOver, second.passedOver]).toEqual([[], ["p/a", "p/c"]]);
    const refused = await run({ "p/a": ["ok"], "q/b": ["provider_refused"] }, { world });
    expect(refused.error).toMatchObject({
      code: "provider_refused",
      extras: { attempts: [{ outcome: "passed_over" }, { outcome: "provider_refused" }] },
    });
    expect((await run({ "p/a": ["ok"] }, { world })).error?.extras).not.toHaveProperty("attempts");
  });

  it("is not blamed for what the caller asked, nor for being busy", async () => {
    const { world } = await run({ "p/a": ["provider_busy", "provider_busy", "provider_busy"] });
    expect(world.breakers.size).toBe(0);
    await run({ "p/a": ["provider_failed"] }, { world });
    expect(world.breakers.size).toBe(0);
  });
});
