/**
 * Stands in for `zod/v4` in the bundle (`scripts/lib/bundle.ts`), so that packages which import from there share one entry
 * point with us, who import from `zod`. With both in the bundle its modules run in an order in which a class is used before
 * it is there, and a start fails. A package that imports the namespace `{ z }` would bring all of zod with its translations along,
 * 390 kB: it gets the parts that are used.
 */
export * from "zod";
export * as z from "./zod_parts.ts";
