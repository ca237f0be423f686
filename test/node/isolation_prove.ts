import { workerProof } from "../worker_proof.ts";

/** `npm run prove:isolation -- --pairs 10000 --seed 7`: random callers at random things of others, through every door. */
workerProof("prove:isolation", "test/worker/isolation.test.ts", "pairs", 10_000);
