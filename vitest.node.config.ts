import { defineConfig } from "vitest/config";

/** Tests that run outside workerd and start real processes: two files at a time, with room for a slow machine. */
export default defineConfig({
  test: {
    include: ["test/node/**/*.test.ts", "test/web/**/*.test.ts"],
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 10_000 } },
  },
});
