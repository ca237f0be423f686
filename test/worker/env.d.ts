declare namespace Cloudflare {
  interface Env {
    TEST_MIGRATIONS: import("cloudflare:test").D1Migration[];
    SETUP_TOKEN: string;
    /** Sizes and seeds of the proofs; empty: a small one. */
    PAIRS: string;
    SEED: string;
  }
}

/** A file of the repository as text. */
declare module "*?raw" {
  const text: string;
  export default text;
}
