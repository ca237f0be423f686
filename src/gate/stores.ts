import type { Env } from "../env.ts";
import { ok, type Result, WaypostError } from "../errors.ts";
import { lazily } from "../lazily.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type Resident, residentLedger } from "../ledger/resident.ts";
import type { AdmitReply, AdmitRequest, Ended, ReserveRequest, SettleRequest } from "../ledger/types.ts";
import type { BlobStore } from "../tools/define.ts";
import type { VaultApi } from "../vault/types.ts";

/** What the gate asks of a ledger. The RPC types of the runtime lose unions, so the object's own are used. */
type LedgerApi = Pick<Ledger, "identify" | "reserve" | "usagePage" | "seal" | "unseal">;

/** Ids of ledgers by account: making one hashes the name. */
const IDS_KEPT = 1_000;
const ids = new Map<string, DurableObjectId>();

function ledgerObject(env: Env, account: string) {
  let id = ids.get(account);
  if (!id) {
    id = env.LEDGER.idFromName(account);
    if (ids.size >= IDS_KEPT) ids.delete(ids.keys().next().value as string);
    ids.set(account, id);
  }
  return env.LEDGER.get(id);
}

export const ledgerOf = (env: Env, account: string): LedgerApi => ledgerObject(env, account) as unknown as LedgerApi;

/** Where work goes on beside the call. */
export type Background = Pick<ExecutionContext, "waitUntil">;

/** Asks the account's ledger to admit a call. */
export const admitTo = async (env: Env, request: AdmitRequest): Promise<AdmitReply> =>
  JSON.parse(await ledgerObject(env, request.account).admit(JSON.stringify(request)));

/** As `admitTo`, at once, where the ledger is awake in this isolate and memory tells all; else undefined. */
export const admitNear = (env: Env, ctx: Background, request: AdmitRequest): AdmitReply | undefined =>
  near(env, ctx, request.account, (ledger) => ledger.admit(request));

/** Has the account's ledger hold what an admitted call may cost, where `admitNear` would have admitted it. */
export const reserveNear = (env: Env, ctx: Background, request: ReserveRequest) =>
  near(env, ctx, request.account, (ledger) => ledger.reserve(request));

/** What the ledger decides in this isolate, if it can; its object is asked soon, beside the call, to see to the disk. */
function near<T>(
  env: Env,
  ctx: Background,
  account: string,
  decide: (ledger: Resident) => T | undefined,
): T | undefined {
  const ledger = residentLedger(account);
  const decided = ledger && decide(ledger);
  const ms = decided && ledger.tendIn(hasSlowTimers(ctx) ? 0 : undefined);
  if (ms !== undefined) ctx.waitUntil(tend(env, account, ledger as Resident, ms));
  return decided;
}

/**
 * Timers of an object go off one after the other, each when all work that is ready has been done: on a busy machine one a
 * round. Whoever sets one a call there has them pile up, and a retry that waits behind them does not come back.
 */
const hasSlowTimers = (ctx: Background): boolean => "storage" in ctx;

async function tend(env: Env, account: string, ledger: Resident, ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  // Where it cannot be asked, the next call's request sees to it.
  if (ledger.isUntended)
    await ledgerObject(env, account)
      .tend()
      .catch(() => {});
}

/**
 * Has the account's ledger end a call: in this isolate where `admitNear` would admit it. What is decided here is told when the
 * object whose memory decided it says that it is written; if that has ended meanwhile, its next life decides.
 */
export async function settleWith(env: Env, request: SettleRequest): Promise<Result<Ended>> {
  const ledger = residentLedger(request.account);
  const near = ledger?.settle(request);
  const object = ledgerObject(env, request.account);
  if (ledger && near && (await object.keep(ledger.life))) return ok(near);
  return JSON.parse(await object.settle(JSON.stringify(request)));
}

/** Has the account's ledger write everything it has decided, whenever that is due. */
export const flushLedger = (env: Env, account: string): Promise<void> => ledgerObject(env, account).flush();

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

const planSetting = lazily(() => import("../ledger/plans.ts"));

/**
 * As `reach` for an account's ledger, which cannot wake under plans that cannot be read: who operates the server is told so.
 * @throws WaypostError `unavailable`; `not_configured`, naming PLANS
 */
export async function reachLedger<T>(env: Env, operation: () => Promise<T>, again = 0): Promise<T> {
  try {
    return await reach("ledger", operation, again);
  } catch (error) {
    if (env.PLANS) (await planSetting()).parsePlans(env.PLANS);
    throw error;
  }
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
