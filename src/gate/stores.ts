import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { BlobStore } from "../tools/define.ts";
import type { VaultApi } from "../vault/types.ts";

/** What the gate asks of a ledger. The RPC types of the runtime lose unions, so the object's own are used. */
type LedgerApi = Pick<Ledger, "admit" | "identify" | "reserve" | "settle">;

export const ledgerOf = (env: Env, account: string): LedgerApi =>
  env.LEDGER.get(env.LEDGER.idFromName(account)) as unknown as LedgerApi;

/** The account's vault. RPC makes every method asynchronous, which is all that `VaultApi` says. */
export const vaultOf = (env: Env, account: string): VaultApi =>
  env.VAULT.get(env.VAULT.idFromName(account)) as unknown as VaultApi;

/** The account's originals: content-addressed below a prefix of its own. */
export function blobsOf(env: Env, account: string): BlobStore {
  const keyOf = (sha256: string) => `${account}/${sha256}`;
  return {
    async put(bytes, contentType) {
      const digest = await crypto.subtle.digest("SHA-256", bytes);
      const sha256 = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
      await env.BLOBS.put(keyOf(sha256), bytes, { sha256: digest, httpMetadata: { contentType } });
      return sha256;
    },
    async get(sha256) {
      const object = await env.BLOBS.get(keyOf(sha256));
      return object ? new Uint8Array(await object.arrayBuffer()) : null;
    },
    async delete(sha256) {
      await env.BLOBS.delete(keyOf(sha256));
    },
  };
}

/**
 * Runs a store operation; a store that cannot answer becomes `unavailable`. With `again`, an operation that is safe to
 * repeat is repeated: the object may have moved or restarted.
 */
export async function reach<T>(what: string, operation: () => Promise<T>, again = 0): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await operation();
    } catch (error) {
      if (error instanceof WaypostError) throw error;
      if (tries >= again) throw new WaypostError("unavailable", `The ${what} did not answer.`);
      await new Promise((resolve) => setTimeout(resolve, 50 * 4 ** tries));
    }
  }
}
