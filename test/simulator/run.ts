import { randomFrom } from "../random.ts";
import { LATE } from "./books.ts";
import type { Break } from "./breaks.ts";
import { call } from "./client.ts";
import { settled } from "./clock.ts";
import { brokenAtRest, brokenNow, brokenPromise } from "./invariants.ts";
import { type CallPlan, pick, type Random, rollCall, upTo } from "./plan.ts";
import { Gone, World } from "./world.ts";

/** One simulated history: so many steps from a seed, then rest. */

export interface Outcome {
  steps: number;
  /** What does not hold; absent when all does. */
  violation?: string;
  /** What was done, in order. */
  trace: string[];
}

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const KEYS = 4;

interface Run {
  world: World;
  made: CallPlan[];
  keys: number;
}

type Action = (run: Run, random: Random, step: number) => Promise<string> | string;

const background = (world: World, work: Promise<unknown>): void => {
  work.catch((error) => {
    if (!(error instanceof Gone)) world.model.report(`${error instanceof Error ? error.stack : error}`);
  });
};

const begin: Action = ({ world, made, keys }, random, step) => {
  const plan = rollCall(random, `call_${step}`, keys);
  made.push(plan);
  background(world, call(world, plan));
  const what = plan.hold
    ? `holds for ${plan.hold.maxOutputTokens}${plan.late ? " late" : ""}, ends ${plan.ending}`
    : "free";
  return `${plan.callId} of key_${plan.key}: ${what}${plan.idempotency ? `, ${plan.idempotency.key} ${plan.idempotency.inputHash}` : ""}`;
};

const repeat: Action = (run, random, step) => {
  const before = pick(random, run.made);
  if (!before?.idempotency) return begin(run, random, step);
  const plan = { ...before, callId: `call_${step}`, ending: "within" as const };
  run.made.push(plan);
  background(run.world, call(run.world, plan));
  return `${plan.callId} repeats ${before.callId} with ${plan.idempotency?.key}`;
};

/** Two calls with one idempotency key, and a restart between them that may forget the first. */
const twins: Action = async (run, random, step) => {
  const rolled = rollCall(random, `call_${step}`, run.keys);
  const idempotency = { key: `idem-${upTo(random, 9)}`, inputHash: "same" };
  const first = { ...rolled, idempotency, ending: "within" as const, patience: 5 };
  const second = { ...first, callId: `call_${step}_twin` };
  run.made.push(first, second);
  background(run.world, call(run.world, first));
  const between = upTo(random, 8);
  for (let i = 0; i < between; i++) await run.world.clock.finish(random());
  await run.world.crash(pick(random, [0, 1]), false);
  background(run.world, call(run.world, second));
  return `${first.callId} and its twin of key_${first.key} with ${idempotency.key}, a restart between them`;
};

/** D1 takes what it is asked to, and the ledger ends before anything more is safe. */
const strike: Action = async ({ world }, random) => {
  if (world.disk.alarm !== null && world.disk.alarm <= world.clock.now) world.ring();
  await settled();
  const done = await world.clock.finish(0, (label) => label === "request to D1");
  await world.crash(0, random() < 0.5);
  return `crash after: ${done}`;
};

const finish: Action = async ({ world }, random) => `done: ${await world.clock.finish(random())}`;

const move =
  (most: number): Action =>
  async ({ world }, random) => {
    const by = 1 + upTo(random, most - 1);
    await world.clock.advance(world.clock.now + by);
    return `${by} ms pass`;
  };

const back: Action = async ({ world }, random) => {
  const by = upTo(random, 2 * SECOND);
  await world.clock.advance(world.clock.now - by);
  return `the clock goes back ${by} ms`;
};

const ring: Action = async ({ world }, random) => {
  const { alarm } = world.disk;
  const due = alarm !== null && alarm <= world.clock.now;
  if (!due && random() < 0.9) return "no alarm is due";
  world.ring();
  if (random() < 0.1) world.ring();
  await settled();
  return due ? "the alarm rings" : "an alarm rings that was not due";
};

const crash: Action = async ({ world }, random) => {
  const keep = pick(random, [0, 1, random()]);
  const all = random() < 0.5;
  await world.crash(keep, all);
  return `crash of ${all ? "everything" : "the ledger"}, ${Math.round(100 * keep)} % of what was not synced survives`;
};

const failDisk: Action = ({ world }, random) => {
  const after = upTo(random, 5);
  world.disk.failAfter(after);
  return `the disk fails after ${after} more statements of a transaction`;
};

const credit: Action = ({ world }, random) => {
  const id = `credit:${upTo(random, 3)}`;
  const nano = 40_000 + 10_000 * Number(id.at(-1));
  const work = world
    .ask((ledger) => ledger.credit(id, nano, "", "key_0"))
    .then((result) => {
      if (result.ok) world.model.credits.set(id, nano);
    });
  background(world, work);
  return `${id}: ${nano} nano-USD`;
};

const changePlan: Action = ({ world }, random) => {
  const plan = pick(random, ["sim", "wide"]);
  // Until the change is confirmed either may hold: the wider one bounds both.
  world.model.plan = "wide";
  background(
    world,
    world.ask((ledger) => ledger.setPlan(plan)),
  );
  return `plan ${plan}`;
};

const revoke: Action = (run, random) => {
  const key = 1 + upTo(random, run.keys - 2);
  const work = run.world
    .ask((ledger) => ledger.keys.revoke(`key_${key}`, run.world.clock.now))
    .then((result) => {
      if (result.ok) run.world.model.revoked.add(key);
    });
  background(run.world, work);
  return `key_${key} is revoked`;
};

const audit: Action = ({ world }) => {
  const work = world
    .ask((ledger) => ledger.audit())
    .then((result) => {
      if (result.ok && !result.value.consistent)
        world.model.report(`the audit disagrees: ${JSON.stringify(result.value)}`);
    });
  background(world, work);
  return "audit";
};

const ACTIONS: readonly [weight: number, action: Action][] = [
  [34, finish],
  [18, begin],
  [6, repeat],
  [2, twins],
  [1, strike],
  [12, move(30)],
  [6, move(3 * SECOND)],
  [3, move(90 * SECOND)],
  [1.5, move(400 * SECOND)],
  [0.6, move(6 * HOUR)],
  [0.2, move(30 * HOUR)],
  [1.5, back],
  [6, ring],
  [2.5, crash],
  [1, failDisk],
  [2, credit],
  [0.6, changePlan],
  [0.4, revoke],
  [1, audit],
];
const ALL = ACTIONS.reduce((sum, [weight]) => sum + weight, 0);

function choose(random: Random): Action {
  let left = random() * ALL;
  for (const [weight, action] of ACTIONS) {
    left -= weight;
    if (left < 0) return action;
  }
  return finish;
}

/** How long the history of a seed is: some are short, so that it ends soon after a fault. */
export const lengthOf = (seed: number, most: number): number => Math.ceil(most / 2 ** (seed % 3));

/**
 * Runs a seed. `skip`: steps to leave out, for finding the fewest that still show a violation. `broken`: what to break on
 * purpose, to see that it is noticed.
 */
export async function simulate(
  seed: number,
  steps: number,
  skip: ReadonlySet<number> = new Set(),
  broken?: Break,
): Promise<Outcome> {
  const world = new World(broken);
  const restore = world.clock.install();
  const trace: string[] = [];
  const outcome = (done: number): Outcome => ({ steps: done, trace, ...(found ? { violation: found } : {}) });
  let found: string | undefined;
  try {
    const run: Run = { world, made: [], keys: KEYS };
    await open(world, seed);
    for (let step = 0; step < steps; step++) {
      if (skip.has(step)) continue;
      const random = randomFrom(seed * 7_919 + step * 104_729);
      // Two streams of near seeds begin alike.
      random();
      world.random = random;
      const what = await choose(random)(run, random, step);
      await settled();
      trace.push(`${step} +${world.clock.now % 10_000_000} ${what}`);
      if (await world.bury()) trace.push(`${step} the ledger ends, its disk failed`);
      found =
        world.model.violation ??
        brokenNow(world) ??
        (step % 16 === 0 ? world.asRecovered(() => brokenPromise(world)) : undefined);
      if (found) return outcome(step + 1);
    }
    found =
      (await rest(world)) ??
      world.model.violation ??
      brokenNow(world) ??
      world.asRecovered(() => brokenPromise(world)) ??
      brokenAtRest(world);
    return outcome(steps);
  } finally {
    restore();
    world.close();
  }
}

async function open(world: World, seed: number): Promise<void> {
  const work = world.ask((ledger) => {
    for (let key = 0; key < KEYS; key++) {
      const budget = key === 2 ? { nano_usd: 30_000 + (seed % 7) * 10_000, period: "total" as const } : null;
      const spec = { id: `key_${key}`, hash: `hash-${key}`, name: "", user: "usr_simulated", scopes: ["chat"] };
      ledger.keys.create({ ...spec, expiresAt: null, limits: null, budget }, world.clock.now);
    }
  });
  for (let i = 0; i < 10; i++) await world.clock.finish(0);
  await work;
}

/** Lets everything end by itself: nobody calls any more, only what is under way ends, and alarms ring when they are due. */
async function rest(world: World): Promise<string | undefined> {
  world.calm = true;
  world.random = () => 0.5;
  for (let turn = 0; turn < 5_000; turn++) {
    while (world.clock.busyBeside(LATE) > 0) await world.clock.finish(0, (label) => label !== LATE);
    if (await world.bury()) continue;
    const at = Math.min(world.clock.next, world.disk.alarm ?? Number.POSITIVE_INFINITY);
    if (at === Number.POSITIVE_INFINITY) {
      // What D1 was asked and did not answer comes last of all.
      while (world.clock.busy > 0) await world.clock.finish(0);
      return undefined;
    }
    await world.clock.advance(Math.max(at, world.clock.now));
    const { alarm } = world.disk;
    if (alarm !== null && alarm <= world.clock.now) world.ring();
    await settled();
  }
  return "it does not come to rest";
}
