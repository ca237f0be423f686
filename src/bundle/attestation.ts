import { ecdsaSignature } from "./ecdsa_signature.ts";

/**
 * Stands in for what the passkey library needs to check where an authenticator comes from, in the bundle alone (`[alias]` in
 * wrangler.toml): formats of attestation, certificates, and the ASN.1 they are written in. Passkeys are made without
 * attestation here, so a browser takes it off; one that comes all the same is refused. It would be 290 kB for every start to
 * compile. What is left is an authenticator's own signature, which has one type of ASN.1.
 */
class NotInBundle {
  constructor() {
    throw new Error("chains of certificates are not followed here");
  }
}

export class ECDSASigValue {}

export const AsnParser = {
  parse(bytes: Uint8Array, type: unknown) {
    if (type !== ECDSASigValue) throw new Error("certificates are not read here");
    return ecdsaSignature(bytes);
  },
};

const refuse = async () => false;

export {
  NotInBundle as AuthorityKeyIdentifierExtension,
  NotInBundle as BasicConstraints,
  NotInBundle as Certificate,
  NotInBundle as CRLDistributionPointsExtension,
  NotInBundle as ECParameters,
  NotInBundle as OctetString,
  NotInBundle as RSAPublicKey,
  NotInBundle as SubjectKeyIdentifierExtension,
  NotInBundle as X509Certificate,
  NotInBundle as X509ChainBuilder,
  NotInBundle as X509Crl,
  refuse as verifyAttestationAndroidKey,
  refuse as verifyAttestationAndroidSafetyNet,
  refuse as verifyAttestationApple,
  refuse as verifyAttestationFIDOU2F,
  refuse as verifyAttestationTPM,
};

/** Names of algorithms and extensions in certificates. */
export const id_ce_basicConstraints = undefined;
export const id_ecdsaWithSHA256 = undefined;
export const id_ecdsaWithSHA384 = undefined;
export const id_ecdsaWithSHA512 = undefined;
export const id_ecPublicKey = undefined;
export const id_ml_dsa_44 = undefined;
export const id_ml_dsa_65 = undefined;
export const id_ml_dsa_87 = undefined;
export const id_rsaEncryption = undefined;
export const id_secp256r1 = undefined;
export const id_secp384r1 = undefined;
export const id_sha1WithRSAEncryption = undefined;
export const id_sha256WithRSAEncryption = undefined;
export const id_sha384WithRSAEncryption = undefined;
export const id_sha512WithRSAEncryption = undefined;
