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
await reset();
await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
