import { randomBytes } from "node:crypto";
import { firstLine, StartFailure } from "./failure.ts";
import type { State } from "./state.ts";

/** The account that owns the installation, and a key for it. */
export interface Owner {
  account: string;
  apiKey: string;
}

/** The token that lets this script, and nobody else, call `POST /setup`. Made once for a state directory. */
export function setupToken(state: State): string {
  const known = state.read("setup-token");
  if (known) return known;
  const token = randomBytes(32).toString("base64url");
  state.write("setup-token", token);
  return token;
}

/**
 * Sets the installation up the first time and remembers the owner's key; afterwards returns what was remembered. When
 * the Worker is set up but the key was never saved (a crash in between), asks for another key of the same account.
 * @throws StartFailure when the Worker gives neither
 */
export async function ensureOwner(state: State, url: string, token: string): Promise<Owner> {
  const saved = readOwner(state);
  const first = await post(url, token, {});
  if (first.status === 409 && saved) return saved;
  const answer = first.status === 409 ? await post(url, token, { reissue: true }) : first;
  const { account, api_key } = answer.body;
  if (answer.status !== 201 || typeof account !== "string" || typeof api_key !== "string") {
    const why = answer.body.detail ?? answer.body.title ?? "";
    throw new StartFailure(`POST /setup answered ${answer.status} ${why}`.trim());
  }
  const owner = { account, apiKey: api_key };
  state.write("owner.json", `${JSON.stringify(owner, null, 2)}\n`);
  return owner;
}

/**
 * A fresh one-time link by which a person takes the owner account in possession; null when somebody has. It is kept in the
 * state directory as well, for those who start it with `--json`.
 * @throws StartFailure when the Worker says neither
 */
export async function claimLink(state: State, url: string, token: string): Promise<string | null> {
  const { status, body } = await post(url, token, { claim: true });
  const link = status === 201 && typeof body.claim_url === "string" ? body.claim_url : null;
  state.write("claim-link", link ? `${link}\n` : "");
  if (link || status === 409) return link;
  throw new StartFailure(`POST /setup answered ${status} ${body.detail ?? body.title ?? ""}`.trim());
}

function readOwner(state: State): Owner | null {
  try {
    const owner = JSON.parse(state.read("owner.json") ?? "null");
    return typeof owner?.account === "string" && typeof owner.apiKey === "string" ? owner : null;
  } catch {
    return null;
  }
}

async function post(
  url: string,
  token: string,
  body: object,
): Promise<{ status: number; body: Record<string, unknown> }> {
  try {
    const response = await fetch(`${url}/setup`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    const parsed: unknown = await response.json().catch(() => null);
    return { status: response.status, body: parsed && typeof parsed === "object" ? { ...parsed } : {} };
  } catch (error) {
    throw new StartFailure(`the Worker did not answer POST /setup: ${firstLine(error)}`);
  }
}
