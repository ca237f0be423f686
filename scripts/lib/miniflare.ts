import { createRequire } from "node:module";
import { getCACertificates, rootCertificates } from "node:tls";

/** Loads what wrangler itself loads: the ones its options are made for, whichever others are installed. */
export const ofWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler/package.json"));

export const { Miniflare, NoOpLog, convertV4MiniflareOptions } = ofWrangler("miniflare") as typeof import("miniflare");

/**
 * What workerd finds in its environment beside what is in this one. Its allocator keeps a cache for each processor, as it is
 * meant to, only if glibc leaves the kernel's restartable sequences to it: else every allocation goes the long way, and a call
 * costs up to a tenth more. A system without glibc does not read it.
 */
export const RUNTIME_ENV = {
  GLIBC_TUNABLES: [process.env.GLIBC_TUNABLES, "glibc.pthread.rseq=0"].filter(Boolean).join(":"),
};

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
