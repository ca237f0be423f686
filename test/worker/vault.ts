import { env } from "cloudflare:test";
import { unwrap } from "../../src/errors.ts";
import type { Cursor, Message, Mutation, MutationOutcome, VaultApi } from "../../src/vault/types.ts";

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

export const create = (id: string, session: string, title?: string): Mutation => ({
  id,
  kind: "session.create",
  session_id: session,
  title,
});

export const append = (id: string, session: string, ...messages: string[]): Mutation => ({
  id,
  kind: "message.append",
  session_id: session,
  messages: messages.map((each) => message(each)),
});

export const rename = (id: string, session: string, title: string, base_seq: number): Mutation => ({
  id,
  kind: "session.update",
  session_id: session,
  title,
  base_seq,
});

export const head = async (vault: VaultApi): Promise<Cursor> => unwrap(await vault.ping());
export const read = async (vault: VaultApi, id = "s") =>
  unwrap(await vault.readSession({ session_id: id, limit: 100 }));
export const idsIn = async (vault: VaultApi, id = "s") => (await read(vault, id)).messages.map((each) => each.id);
