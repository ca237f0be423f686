import { createRequire } from "node:module";

/** Loads what wrangler itself loads: the ones its options are made for, whichever others are installed. */
export const ofWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler/package.json"));

export const { Miniflare, NoOpLog, convertV4MiniflareOptions } = ofWrangler("miniflare") as typeof import("miniflare");
