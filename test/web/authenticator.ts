import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from "@simplewebauthn/server";

/** A passkey device in software: ES256 keys, discoverable credentials, attestation `none` (WebAuthn 6). */
export interface Device {
  /** Where the browser says the page is. */
  origin: string;
  rpId: string;
  credentials: Credential[];
  /** What the device claims about the person. */
  userVerified: boolean;
  /** Counts up with every signature; 0 stays 0, as with synced passkeys. */
  step: number;
}

interface Credential {
  id: string;
  userHandle: string;
  keys: CryptoKeyPair;
  counter: number;
}

export function device(origin: string, changes: Partial<Device> = {}): Device {
  return { origin, rpId: new URL(origin).hostname, credentials: [], userVerified: true, step: 1, ...changes };
}

/** What `navigator.credentials.create` gives for these options. */
export async function create(
  to: Device,
  options: PublicKeyCredentialCreationOptionsJSON,
): Promise<RegistrationResponseJSON> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const keys = (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
  const id = crypto.getRandomValues(new Uint8Array(32));
  const credential = { id: base64url(id), userHandle: options.user.id, keys, counter: 0 };
  to.credentials.push(credential);
  const point = new Uint8Array((await crypto.subtle.exportKey("raw", keys.publicKey)) as ArrayBuffer);
  // COSE key: {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
  const cose = [
    0xa5,
    1,
    2,
    3,
    0x26,
    0x20,
    1,
    0x21,
    0x58,
    32,
    ...point.slice(1, 33),
    0x22,
    0x58,
    32,
    ...point.slice(33),
  ];
  const attested = [...new Uint8Array(16), 0, id.length, ...id, ...cose];
  const authData = await authenticatorData(to, 0, attested);
  // {"fmt": "none", "attStmt": {}, "authData": bytes}
  const attestation = [0xa3, ...text("fmt"), ...text("none"), ...text("attStmt"), 0xa0, ...text("authData")];
  return {
    id: credential.id,
    rawId: credential.id,
    type: "public-key",
    clientExtensionResults: {},
    response: {
      clientDataJSON: clientData("webauthn.create", options.challenge, to.origin),
      attestationObject: base64url([...attestation, 0x59, authData.length >> 8, authData.length & 255, ...authData]),
      transports: ["internal"],
    },
  };
}

/** What `navigator.credentials.get` gives for these options. */
export async function sign(
  by: Device,
  options: PublicKeyCredentialRequestOptionsJSON,
): Promise<AuthenticationResponseJSON> {
  const credential = by.credentials.at(-1);
  if (!credential) throw new Error("the device has no passkey");
  credential.counter += by.step;
  const authData = await authenticatorData(by, credential.counter, []);
  const clientDataJSON = clientData("webauthn.get", options.challenge, by.origin);
  const hash = await crypto.subtle.digest("SHA-256", Buffer.from(clientDataJSON, "base64url"));
  const signed = new Uint8Array([...authData, ...new Uint8Array(hash)]);
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, credential.keys.privateKey, signed);
  return {
    id: credential.id,
    rawId: credential.id,
    type: "public-key",
    clientExtensionResults: {},
    response: {
      clientDataJSON,
      authenticatorData: base64url(authData),
      signature: base64url(der(new Uint8Array(signature))),
      userHandle: credential.userHandle,
    },
  };
}

async function authenticatorData(of: Device, counter: number, attested: number[]): Promise<number[]> {
  const host = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(of.rpId));
  const flags = 0x01 | (of.userVerified ? 0x04 : 0) | (attested.length > 0 ? 0x40 : 0);
  const count = [counter >>> 24, (counter >>> 16) & 255, (counter >>> 8) & 255, counter & 255];
  return [...new Uint8Array(host), flags, ...count, ...attested];
}

const clientData = (type: string, challenge: string, origin: string): string =>
  base64url(new TextEncoder().encode(JSON.stringify({ type, challenge, origin, crossOrigin: false })));

const base64url = (bytes: Iterable<number>): string => Buffer.from([...bytes]).toString("base64url");

/** A short CBOR text string. */
const text = (value: string): number[] => [0x60 + value.length, ...new TextEncoder().encode(value)];

/** An ECDSA signature as ASN.1 DER. */
function der(raw: Uint8Array): number[] {
  const integer = (bytes: Uint8Array): number[] => {
    const first = bytes.findIndex((byte) => byte !== 0);
    const value = [...bytes.slice(first)];
    if ((value[0] ?? 0) > 127) value.unshift(0);
    return [0x02, value.length, ...value];
  };
  const content = [...integer(raw.slice(0, 32)), ...integer(raw.slice(32))];
  return [0x30, content.length, ...content];
}
