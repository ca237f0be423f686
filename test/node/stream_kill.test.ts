import { afterAll, beforeAll, expect, test } from "vitest";
import { dropInWorld, type World } from "./drop_in_world.ts";
import { killStreams } from "./stream_kill_run.ts";

let world: World;
beforeAll(async () => {
  world = await dropInWorld();
});
afterAll(() => world?.stop());

test("clients killed at random points: all holds released, bills as the provider's log has it", async () => {
  const killed = await killStreams(world, 20, 1);
  expect(killed.faults).toEqual([]);
  expect(killed.exact + killed.estimated).toBeGreaterThan(10);
});
