import { workerProof } from "../worker_proof.ts";

/**
 * `npm run prove:oauth -- --rounds 200`: the races for codes and refresh tokens, over and over. Inside workerd, as only
 * there codes can be had without a browser and a person for each.
 */
workerProof("prove:oauth", "test/worker/oauth_rounds.test.ts", "rounds", 200);
