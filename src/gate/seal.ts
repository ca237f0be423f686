import type { Env } from "../env.ts";
import { unwrap } from "../errors.ts";
import { ledgerOf, reachLedger } from "./stores.ts";

/** State that a client keeps for the server: sealed by the account's ledger, for a time, and bound to who may bring it back with what. */

interface Sealed<State> {
  state: State;
  /** Milliseconds since the epoch. */
  until: number;
}

/** Longer than any state here is: what is larger is none, and is not decrypted. */
const MOST_CHARACTERS = 16_384;

/** @throws WaypostError `unavailable` */
export async function sealState(env: Env, account: string, state: object, bound: string, ms: number): Promise<string> {
  const sealed: Sealed<object> = { state, until: Date.now() + ms };
  const ledger = ledgerOf(env, account);
  return unwrap(await reachLedger(env, () => ledger.seal(JSON.stringify(sealed), bound), 2));
}

/** Null for what is over, altered, or was bound to something else. @throws WaypostError `unavailable` */
export async function openState<State>(env: Env, account: string, text: string, bound: string): Promise<State | null> {
  if (text.length > MOST_CHARACTERS || !/^[\w-]+$/.test(text)) return null;
  const ledger = ledgerOf(env, account);
  const opened = await reachLedger(env, () => ledger.unseal(text, bound), 2);
  if (!opened.ok || opened.value === null) return null;
  const { state, until } = JSON.parse(opened.value) as Sealed<State>;
  return until > Date.now() ? state : null;
}
