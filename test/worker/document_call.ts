import { env } from "cloudflare:test";
import { blobsOf } from "../../src/gate/stores.ts";
import { confirmRules } from "../../src/tools/confirm_rules.ts";
import type { Call, CallEvent } from "../../src/tools/define.ts";
import { openVault } from "./vault.ts";

/** What the tools over documents and search see of a call: a fresh account's real stores. */
export function openCall() {
  const account = crypto.randomUUID();
  const { vault } = openVault(account);
  const events: CallEvent[] = [];
  const controller = new AbortController();
  const emit = (event: CallEvent): void => {
    events.push(event);
  };
  const consent = { canAsk: false, rules: confirmRules({}, account) };
  const call = { vault, blobs: blobsOf(env, account), consent, signal: controller.signal, emit } as unknown as Call;
  /** Hashes of the originals that are stored. */
  const originals = async (): Promise<string[]> => {
    const { objects } = await env.BLOBS.list({ prefix: `${account}/` });
    return objects.map(({ key }) => key.slice(account.length + 1));
  };
  return { call, events, cancel: () => controller.abort(), originals };
}
