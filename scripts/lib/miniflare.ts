import { createRequire } from "node:module";
import { getCACertificates, rootCertificates } from "node:tls";

/** Loads what wrangler itself loads: the ones its options are made for, whichever others are installed. */
export const ofWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler/package.json"));

export const { Miniflare, NoOpLog, convertV4MiniflareOptions } = ofWrangler("miniflare") as typeof import("miniflare");

/** What `fetch()` ends in, without the runtime's own Worker before it; it trusts whom that trusts. */
export const NETWORK = {
  network: {
    allow: ["public", "private"],
    tlsOptions: {
      trustBrowserCas: true,
      trustedCertificates: [...(process.platform === "win32" ? rootCertificates : []), ...getCACertificates("extra")],
    },
  },
};
