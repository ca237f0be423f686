import "reflect-metadata";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

/** A site on the internet, as far as Waypost can tell: TLS on a real socket, with an authority of its own. */
export interface TlsSite {
  origin: string;
  /** Authority to trust, a PEM file: for NODE_EXTRA_CA_CERTS. */
  authority: string;
  close(): Promise<void>;
}

const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};

/** Serves `https://localhost:<port>` with the given handler. */
export async function tlsSite(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<TlsSite> {
  const keys = (await crypto.subtle.generateKey(RSA, true, ["sign", "verify"])) as CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: "01",
    name: "CN=localhost",
    notBefore: new Date(Date.now() - 86_400_000),
    notAfter: new Date(Date.now() + 86_400_000),
    signingAlgorithm: RSA,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: "localhost" }]),
    ],
  });
  const directory = mkdtempSync(join(tmpdir(), "waypost-tls-"));
  const authority = join(directory, "authority.pem");
  writeFileSync(authority, certificate.toString("pem"));
  const pkcs8 = (await crypto.subtle.exportKey("pkcs8", keys.privateKey)) as ArrayBuffer;
  const key = x509.PemConverter.encode(pkcs8, "PRIVATE KEY");
  const server = createServer({ key, cert: certificate.toString("pem") }, handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `https://localhost:${(server.address() as AddressInfo).port}`,
    authority,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
      rmSync(directory, { recursive: true });
    },
  };
}
