import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "../../../scripts/lib/miniflare.ts";
import type { Answer, Question } from "./worker.ts";

const wrangler = join(resolve(import.meta.dirname, "../../.."), "node_modules/wrangler/bin/wrangler.js");

/** The agent's Worker, built as it would be deployed, in a workerd of its own. */
export async function startAgent() {
  const out = mkdtempSync(join(tmpdir(), "waypost-agent-"));
  const args = [wrangler, "deploy", "--dry-run", "--outdir", out];
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false" };
  await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname, env });
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: [{ type: "ESModule", path: join(out, "worker.js") }],
      modulesRoot: out,
      compatibilityDate: "2026-10-27",
      compatibilityFlags: ["nodejs_compat"],
      durableObjects: { Asker: { className: "Asker", useSQLite: true } },
    }),
  );
  return {
    async ask(question: Question): Promise<Answer> {
      const response = await miniflare.dispatchFetch("http://agent/", {
        method: "POST",
        body: JSON.stringify(question),
      });
      if (!response.ok) throw new Error(await response.text());
      return (await response.json()) as Answer;
    },
    stop: async () => {
      await miniflare.dispose();
      rmSync(out, { recursive: true, force: true });
    },
  };
}
