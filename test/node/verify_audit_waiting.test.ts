import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startWaypost } from "./harness.ts";

test("verify:audit on a stopped server says how many lines wait in the ledger for their copy", async () => {
  const state = mkdtempSync(join(tmpdir(), "waypost-audit-"));
  try {
    const waypost = await startWaypost({ state });
    for (let i = 0; i < 3; i++) {
      const { status } = await fetch(`${waypost.url}/v1/usage`, {
        headers: { authorization: `Bearer ${waypost.apiKey}` },
      });
      expect(status).toBe(200);
    }
    expect(await waypost.stop()).toBe(0);
    const printed = execFileSync(process.execPath, ["scripts/verify_audit.ts", "--state", state], { encoding: "utf8" });
    expect(printed).toContain(`${waypost.account}: 0 lines, 3 more wait in the ledger to be copied; intact\n`);
  } finally {
    rmSync(state, { recursive: true, force: true, maxRetries: 5 });
  }
});
