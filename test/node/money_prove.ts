import { prove } from "../proof.ts";

/** `npm run prove:money -- --entries 1000000 --seed 7`: random calls of random prices, and the sums reckoned apart. */
prove({
  script: "prove:money",
  file: "test/node/money_drift.test.ts",
  config: "vitest.node.config.ts",
  option: "entries",
  fallback: 1_000_000,
});
