import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig, type ViteUserConfig } from "vitest/config";

/** The Worker logs a line a call; a test that fails says more without them. A setting of the whole run, not of a project of it. */
export const onConsoleLog = (log: string): boolean => !log.startsWith('{"event":');

/** Tests that run inside workerd, with real stores and stand-ins for the services on the internet. */
export const inWorkerd = (test: ViteUserConfig["test"]) =>
  defineConfig(async () => ({
    plugins: [
      cloudflareTest({
        main: "./src/index.ts",
        wrangler: { configPath: "./wrangler.toml" },
        miniflare: {
          bindings: {
            ENVIRONMENT: "test",
            PUBLIC_URL: "https://waypost.test",
            ALIAS_URLS: "http://127.0.0.1:8787",
            SETUP_TOKEN: "setup-token-of-the-test-suite",
            PAIRS: process.env.PAIRS ?? "",
            SEED: process.env.SEED ?? "",
            TEST_MIGRATIONS: await readD1Migrations("./migrations"),
          },
        },
      }),
    ],
    test: {
      // A worker and the process that serves it take turns, and many tests wait for a pause to be over: three keep two cores busy.
      maxWorkers: 3,
      // A slow machine takes a multiple of what a quick one does; nothing here is a measure of speed.
      testTimeout: 30_000,
      hookTimeout: 60_000,
      expect: { poll: { timeout: 10_000 } },
      onConsoleLog,
      globalSetup: ["./test/upstream/global_setup.ts"],
      setupFiles: ["./test/worker/setup.ts"],
      ...test,
    },
  }));
