declare namespace Cloudflare {
  interface Env {
    TEST_MIGRATIONS: import("cloudflare:test").D1Migration[];
    SETUP_TOKEN: string;
    /** Sizes and seeds of the proofs; empty: a small one. */
    PAIRS: string;
    SEED: string;
  }
}
