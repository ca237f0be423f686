import { describe, expect, it } from "vitest";
import { randomFrom } from "../../../test/random.ts";
import { Breakers, type Pass } from "./breaker.ts";

const pass: Pass = { waitMs: 0, probe: false };

function at() {
  const clock = { now: 1_000_000 };
  return { clock, breakers: new Breakers(() => clock.now) };
}

const open = (breakers: Breakers, key = "a") => {
  for (let i = 0; i < 5; i++) breakers.failed(key, pass);
};

describe("a circuit", () => {
  it("opens at the fifth failure in a row, for its own key only", () => {
    const { breakers } = at();
    for (let i = 0; i < 4; i++) breakers.failed("a", pass);
    expect(breakers.ask("a")).toEqual(pass);
    breakers.failed("a", pass);
    expect(breakers.ask("a")).toEqual({ waitMs: 15_000, probe: false });
    expect(breakers.ask("b")).toEqual(pass);
  });

  it("forgets failures at a success, and those that are too old", () => {
    const { breakers, clock } = at();
    for (let i = 0; i < 4; i++) breakers.failed("a", pass);
    breakers.succeeded("a");
    expect(breakers.size).toBe(0);
    for (let i = 0; i < 4; i++) breakers.failed("a", pass);
    clock.now += 30_001;
    breakers.failed("a", pass);
    expect(breakers.ask("a").waitMs).toBe(0);
  });

  it("lets one probe through when its time is up, and everybody once that succeeds", () => {
    const { breakers, clock } = at();
    open(breakers);
    clock.now += 15_000;
    expect(breakers.ask("a")).toEqual({ waitMs: 0, probe: true });
    for (let i = 0; i < 3; i++) expect(breakers.ask("a").waitMs).toBeGreaterThan(0);
    breakers.succeeded("a");
    expect(breakers.ask("a")).toEqual(pass);
  });

  it("opens again for a probe that fails, and is not kept open by calls that began before", () => {
    const { breakers, clock } = at();
    open(breakers);
    clock.now += 15_000;
    const probe = breakers.ask("a");
    breakers.failed("a", pass);
    expect(breakers.ask("a").waitMs).toBeGreaterThan(0);
    breakers.failed("a", probe);
    expect(breakers.ask("a")).toEqual({ waitMs: 15_000, probe: false });
    clock.now += 14_000;
    breakers.failed("a", pass);
    expect(breakers.ask("a").waitMs).toBe(1000);
  });

  it("gives the probe to the next when it told nothing, or never came back", () => {
    const { breakers, clock } = at();
    open(breakers);
    clock.now += 15_000;
    breakers.undecided("a", breakers.ask("a"));
    expect(breakers.ask("a").probe).toBe(true);
    breakers.undecided("a", pass);
    expect(breakers.ask("a").probe).toBe(false);
    clock.now += 120_000;
    expect(breakers.ask("a").probe).toBe(true);
  });

  it("there are never more of them than are kept", () => {
    const { breakers } = at();
    open(breakers, "first");
    for (let i = 0; i < 10_050; i++) breakers.failed(`k${i}`, pass);
    expect(breakers.size).toBe(10_000);
    expect(breakers.ask("first").waitMs).toBe(0);
  });

  it("whatever happens in whatever order, at most one probe is out", () => {
    const dice = randomFrom(7);
    const { breakers, clock } = at();
    const out: Pass[] = [];
    for (let i = 0; i < 20_000; i++) {
      clock.now += Math.floor(dice() * 2000);
      const given = breakers.ask("a");
      if (given.waitMs === 0) out.push(given);
      // Nobody stays longer than a probe is waited for.
      while (out.length > 8) out.shift();
      if (dice() < 0.6 && out.length > 0) {
        const [ended] = out.splice(Math.floor(dice() * out.length), 1) as [Pass];
        if (ended.probe || dice() < 0.9) breakers.failed("a", ended);
        else breakers.undecided("a", ended);
      }
      expect(out.filter(({ probe }) => probe).length).toBeLessThanOrEqual(1);
    }
  });
});
