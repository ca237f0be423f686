import { env } from "cloudflare:test";
import { unwrap } from "../../src/errors.ts";
import type { Message, Mutation, MutationOutcome, VaultApi } from "../../src/vault/types.ts";

/** A fresh account's Vault object: the stub for `runInDurableObject`, and what callers see of it. */
export function openVault(account: string = crypto.randomUUID()) {
  const stub = env.VAULT.get(env.VAULT.idFromName(account));
  return { stub, vault: stub as unknown as VaultApi };
}

export function message(id: string, over: Partial<Message> = {}): Message {
  return { id, parent_id: null, role: "user", content: `text of ${id}`, created_at: "2026-01-31T12:00:00Z", ...over };
}

/** Pushes one mutation and returns its outcome. */
export async function pushOne(vault: VaultApi, device: string, mutation: Mutation): Promise<MutationOutcome> {
  const { outcomes } = unwrap(await vault.push({ device_id: device, mutations: [mutation] }));
  return outcomes[0] as MutationOutcome;
}
