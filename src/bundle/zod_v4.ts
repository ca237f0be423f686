/**
 * Stands in for `zod/v4` in the bundle (`[alias]` in wrangler.toml): everything but the namespace `z`, which would bring
 * zod's translations into fifty languages along, a fifth of the bundle, for every start to compile. A package that
 * imports `{ z }` from there does not build.
 */
export * from "zod";
