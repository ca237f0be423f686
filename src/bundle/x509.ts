/**
 * Stands in for `@peculiar/x509` and `reflect-metadata` in the bundle (`[alias]` in wrangler.toml), with which the passkey
 * library follows the chain of an authenticator's certificates to a root it trusts. Passkeys are made without attestation
 * here, so a browser takes such a chain off; one that comes all the same is refused. The two would be 115 kB for every start
 * to compile.
 */
class NotInBundle {
  constructor() {
    throw new Error("chains of certificates are not followed here");
  }
}

export {
  NotInBundle as AuthorityKeyIdentifierExtension,
  NotInBundle as CRLDistributionPointsExtension,
  NotInBundle as SubjectKeyIdentifierExtension,
  NotInBundle as X509Certificate,
  NotInBundle as X509ChainBuilder,
  NotInBundle as X509Crl,
};
