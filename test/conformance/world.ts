import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { openLog } from "../../scripts/lib/log.ts";
import { claimLink, ensureOwner, setupToken } from "../../scripts/lib/owner.ts";
import { serve } from "../../scripts/lib/runtime.ts";
import { openState } from "../../scripts/lib/state.ts";
import { lastingPort } from "../node/lasting_port.ts";

const root = resolve(import.meta.dirname, "../..");

export interface ConformanceWorld {
  url: string;
  mcp: string;
  account: string;
  apiKey: string;
  /** One-time link by which a person takes the owner account. */
  claim: string;
  /** Directory of the Worker's modules. */
  build: string;
  stop(): Promise<void>;
}

/** Starts the product with the fixtures in it, as `npm start` starts the product, on state that is thrown away. */
export async function startConformance(vars: Record<string, string> = {}): Promise<ConformanceWorld> {
  const port = await lastingPort();
  const state = openState(mkdtempSync(join(tmpdir(), "waypost-conformance-")), port);
  const log = openLog(state.path("waypost.log"));
  const url = `http://localhost:${port}`;
  const token = setupToken(state);
  const cleanUp = () => {
    log.close();
    state.release();
    rmSync(state.dir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const runtime = await serve({
      root,
      state,
      port,
      log,
      entry: "test/conformance/worker.ts",
      signal: new AbortController().signal,
      bindings: {
        ...vars,
        ENVIRONMENT: "conformance",
        PUBLIC_URL: url,
        ALIAS_URLS: `http://127.0.0.1:${port}`,
        SETUP_TOKEN: token,
      },
    });
    const owner = await ensureOwner(state, url, token);
    const claim = (await claimLink(state, url, token)) ?? "";
    const stop = async () => {
      await runtime.stop();
      cleanUp();
    };
    return { url, mcp: `${url}/mcp`, ...owner, claim, build: state.path("build"), stop };
  } catch (error) {
    cleanUp();
    throw error;
  }
}
