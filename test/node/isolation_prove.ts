import { prove } from "../proof.ts";

/** `npm run prove:isolation -- --pairs 10000 --seed 7`: random callers at random things of others, through every door. */
prove({
  script: "prove:isolation",
  file: "test/worker/isolation.test.ts",
  config: "vitest.worker.config.ts",
  option: "pairs",
  fallback: 10_000,
});
