/**
 * Stands in for `zod/v4` in the bundle (`[alias]` in wrangler.toml). A package that imports `{ z }` from there would bring
 * zod's translations into fifty languages along, a sixth of the bundle, which every start would compile. A test compares what such
 * packages use with what is here.
 */
import * as z from "./zod_namespace.ts";

export * from "zod";
export { z };
