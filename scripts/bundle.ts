import { rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { bundle } from "./lib/bundle.ts";

/**
 * `node scripts/bundle.ts [OUT [ENTRY]]`: bundles the Worker of the directory it is called in, for `npm start` and, as the
 * build command of wrangler.toml, for each deploy.
 */
const [out = "dist", entry = "src/index.ts"] = process.argv.slice(2);
rmSync(out, { recursive: true, force: true });
try {
  await bundle(process.cwd(), resolve(out), entry);
  // For `wrangler types`, which says what the bindings are by the types of what is deployed.
  if (out === "dist") writeFileSync(join(out, "index.d.ts"), 'export * from "../src/index.ts";\n');
} catch {
  // The bundler has said on stderr where the code is wrong.
  process.exitCode = 1;
}
