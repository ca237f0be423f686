import { applyD1Migrations, env, reset } from "cloudflare:test";
import { ownerKey } from "./owner_key.ts";

/**
 * Files may share a Worker and its modules (`vitest.config.ts`). Each still begins with empty stores and with the settings as
 * they are configured: what one left behind is not there for the next.
 */
const shared = globalThis as { settingsAtFirst?: Record<string, unknown> };
const settings = env as unknown as Record<string, unknown>;

shared.settingsAtFirst ??= { ...settings };
for (const name of Object.keys(settings)) if (!(name in shared.settingsAtFirst)) delete settings[name];
Object.assign(settings, shared.settingsAtFirst);
ownerKey.value = undefined;
await emptied();
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);

/** A database that is amid a query of the file before, from work that nobody waits for, may outlive a reset as it was. */
async function emptied(): Promise<void> {
  for (let tries = 1; ; tries++) {
    await reset();
    const left = await env.DB.prepare("SELECT count(*) AS n FROM sqlite_master WHERE name = 'accounts'").first("n");
    if (left === 0) return;
    if (tries === 50) throw new Error("the database of the file before is still there");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
