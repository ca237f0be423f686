import { Buffer } from "node:buffer";
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from "@simplewebauthn/server";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import type { User } from "./directory.ts";
import { hashKey } from "./keys.ts";
import { type NewPasskey, Passkeys } from "./passkeys.ts";
import { urlsOf } from "./urls.ts";

const CHALLENGE_MS = 10 * 60_000;
const ENTRY = "passkey";
/** A passkey is the only thing asked for, so the device must have checked who holds it. */
const VERIFICATION = "required";

/** What a challenge was given out for: an answer to it is good for nothing else. */
export interface Ceremony {
  /** Such as `sign-in`, or `add` with the user's id. */
  purpose: string;
  /** Hash of what binds the browser: its session, or the cookie it got with the page. */
  browser: string;
}

/** Who a new passkey is for. */
export interface Owner {
  id: string;
  name: string;
}

interface Transaction extends Ceremony {
  owner: Owner | null;
}

/** The name passkeys are bound to (WebAuthn RP ID), or null when PUBLIC_URL has a number for a host, which can have none. */
export function passkeyHost(env: Env): string | null {
  const { hostname } = new URL(urlsOf(env).issuer);
  return /^[\d.]+$|^\[/.test(hostname) ? null : hostname;
}

/**
 * WebAuthn registration and authentication. Challenges work once, for ten minutes, for one purpose, in the browser that asked.
 * The library is loaded when it is first used: it is large, and calls of agents never need it.
 */
export class PasskeyCeremonies {
  readonly #env: Env;
  readonly #passkeys: Passkeys;

  constructor(env: Env) {
    this.#env = env;
    this.#passkeys = new Passkeys(env);
  }

  /** Options for `navigator.credentials.create`, as JSON. */
  async beginRegistration(ceremony: Ceremony, owner: Owner) {
    const { generateRegistrationOptions } = await import("@simplewebauthn/server");
    const known = await this.#passkeys.list(owner.id);
    const options = await generateRegistrationOptions({
      rpName: "Waypost",
      rpID: this.#host(),
      userID: new Uint8Array(Buffer.from(owner.id)),
      userName: owner.name,
      userDisplayName: owner.name,
      timeout: CHALLENGE_MS,
      attestationType: "none",
      excludeCredentials: known.map(({ id }) => ({ id })),
      authenticatorSelection: { residentKey: "required", userVerification: VERIFICATION },
    });
    await this.#remember(options.challenge, { ...ceremony, owner });
    return options;
  }

  /**
   * The passkey in a browser's answer, and whom it was made for.
   * @throws WaypostError `invalid_input`, `passkey_refused`
   */
  async finishRegistration(ceremony: Ceremony, answer: string): Promise<{ passkey: NewPasskey; owner: Owner }> {
    const { response, challenge } = parseAnswer<RegistrationResponseJSON>(answer, "attestationObject");
    const { owner } = await this.#take(challenge, ceremony);
    if (!owner) throw refused();
    const { verifyRegistrationResponse } = await import("@simplewebauthn/server");
    const expected = this.#expected(challenge);
    const { registrationInfo } = await verifyRegistrationResponse({ response, ...expected }).catch(() => {
      throw refused();
    });
    if (!registrationInfo) throw refused();
    const { id, publicKey, counter } = registrationInfo.credential;
    const transports = (registrationInfo.credential.transports ?? []).filter((name) => /^[\w-]{1,32}$/.test(name));
    return { passkey: { id, publicKey: Buffer.from(publicKey).toString("base64url"), counter, transports }, owner };
  }

  /** Options for `navigator.credentials.get`, as JSON. The device offers the passkeys it has, so nobody is named. */
  async beginSignIn(ceremony: Ceremony) {
    const { generateAuthenticationOptions } = await import("@simplewebauthn/server");
    const options = await generateAuthenticationOptions({
      rpID: this.#host(),
      timeout: CHALLENGE_MS,
      userVerification: VERIFICATION,
    });
    await this.#remember(options.challenge, { ...ceremony, owner: null });
    return options;
  }

  /** The user whose passkey signed. @throws WaypostError `invalid_input`, `passkey_refused` */
  async finishSignIn(ceremony: Ceremony, answer: string): Promise<User> {
    const { response, challenge } = parseAnswer<AuthenticationResponseJSON>(answer, "signature");
    await this.#take(challenge, ceremony);
    const passkey = await this.#passkeys.find(response.id);
    if (!passkey) throw new WaypostError("passkey_refused", "This passkey belongs to no user here.");
    const { userHandle } = response.response;
    if (userHandle && Buffer.from(userHandle, "base64url").toString() !== passkey.user.id) throw refused();
    const { verifyAuthenticationResponse } = await import("@simplewebauthn/server");
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response,
      ...this.#expected(challenge),
      // The counter is compared where it is stored: two answers at once must not both pass.
      credential: {
        id: passkey.id,
        publicKey: new Uint8Array(Buffer.from(passkey.publicKey, "base64url")),
        counter: 0,
      },
    }).catch(() => {
      throw refused();
    });
    if (!verified) throw refused();
    if (!(await this.#passkeys.used(passkey.id, authenticationInfo.newCounter))) {
      console.warn(JSON.stringify({ event: "passkey_counter_went_back", user: passkey.user.id, passkey: passkey.id }));
      throw new WaypostError("passkey_refused", "This passkey seems to have been copied.");
    }
    return passkey.user;
  }

  #host(): string {
    const host = passkeyHost(this.#env);
    if (!host) throw new WaypostError("not_configured", "Passkeys need a PUBLIC_URL with a host name, not a number.");
    return host;
  }

  #expected(expectedChallenge: string) {
    const expectedRPID = this.#host();
    const expectedOrigin = urlsOf(this.#env).origins.filter((origin) => new URL(origin).hostname === expectedRPID);
    return { expectedChallenge, expectedRPID, expectedOrigin, requireUserVerification: true };
  }

  async #remember(challenge: string, transaction: Transaction): Promise<void> {
    const store = await this.#store(challenge);
    await store.write(ENTRY, JSON.stringify(transaction), { expiresAt: Date.now() + CHALLENGE_MS });
  }

  /** Uses a challenge up. */
  async #take(challenge: string, ceremony: Ceremony): Promise<Transaction> {
    const stored = await (await this.#store(challenge)).take(ENTRY);
    const transaction = stored === null ? null : (JSON.parse(stored) as Transaction);
    if (transaction?.purpose !== ceremony.purpose || transaction.browser !== ceremony.browser) {
      throw new WaypostError("passkey_refused", "The page was open too long, used already, or opened elsewhere.");
    }
    return transaction;
  }

  async #store(challenge: string) {
    return this.#env.AUTH.get(this.#env.AUTH.idFromName(`transaction:${await hashKey(challenge)}`));
  }
}

const refused = () => new WaypostError("passkey_refused", "The passkey could not be verified.");

/** A browser's answer, and the challenge it claims to answer. The library checks the rest. */
function parseAnswer<T extends RegistrationResponseJSON | AuthenticationResponseJSON>(
  answer: string,
  part: "attestationObject" | "signature",
): { response: T; challenge: string } {
  try {
    const response = JSON.parse(answer);
    const { challenge } = JSON.parse(Buffer.from(response.response.clientDataJSON, "base64url").toString());
    const whole = [response.id, response.response[part], challenge].every((text) => typeof text === "string" && text);
    if (whole) return { response, challenge };
  } catch {
    // Told below, with the rest of what is no answer.
  }
  throw new WaypostError("invalid_input", "This is not the answer of a passkey.");
}
