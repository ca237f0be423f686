import type { Env } from "../../env.ts";
import { unwrap } from "../../errors.ts";
import { Directory } from "../directory.ts";
import { Grants } from "../oauth/grants.ts";
import { Sessions } from "../sessions.ts";

/**
 * Removes a user for good, known or not: no credential of theirs is good from then on, and nothing that arrives late
 * brings them back. Repeating it changes nothing, so a removal that was interrupted is completed by the next.
 */
export async function removeUser(env: Env, user: string): Promise<void> {
  const directory = new Directory(env);
  // First the mark: whoever is let into an account from here on sees it, whoever was before is found below.
  await directory.removeUser(user);
  for (const { account } of await directory.membershipsOf(user)) {
    const ledger = env.LEDGER.get(env.LEDGER.idFromName(account));
    unwrap(await ledger.blockUser(user));
    unwrap(await ledger.revokeKeysOf(user));
  }
  await signOut(env, user);
}

/** Ends every session and grant of a user. */
export async function signOut(env: Env, user: string): Promise<void> {
  await new Sessions(env).endAll(user);
  await new Grants(env).revokeAll(user);
}
