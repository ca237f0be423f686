import { prove } from "../proof.ts";

/** `npm run prove:oauth -- --rounds 200`: the races for codes and refresh tokens, over and over, over HTTP. */
prove({
  script: "prove:oauth",
  file: "test/node/oauth_races.test.ts",
  config: "vitest.node.config.ts",
  option: "rounds",
  fallback: 200,
});
