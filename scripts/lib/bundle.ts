import { join } from "node:path";
import { type BuildOptions, build } from "esbuild";

/** What runs in workerd, as wrangler bundles it. */
export const FOR_WORKERD = {
  bundle: true,
  format: "esm",
  target: "es2024",
  conditions: ["workerd", "worker", "browser"],
  external: ["cloudflare:*", "node:*"],
} satisfies BuildOptions;

/** What packages import is not always what the bundle should have: see the files. */
const INSTEAD: Record<string, string> = {
  "zod/v4": "src/bundle/zod_v4.ts",
  "@modelcontextprotocol/server/_shims": "src/bundle/mcp_shims.ts",
};

/**
 * Bundles a Worker into `out`: `<name of the entry>.mjs`, and beside it a module for each part that is imported when it is
 * needed. The runtime compiles a module when it is first imported (`new_module_registry` in wrangler.toml), so a start costs
 * what the entry imports, and no more. Wrangler would make one module of it all.
 * @param root the checkout
 * @param entry from the root
 * @throws when the code does not build, which has been said on stderr
 */
export async function bundle(root: string, out: string, entry: string): Promise<void> {
  await build({
    ...FOR_WORKERD,
    absWorkingDir: root,
    entryPoints: [entry],
    outdir: out,
    outExtension: { ".js": ".mjs" },
    splitting: true,
    chunkNames: "[name]-[hash]",
    define: { "process.env.NODE_ENV": '"production"', "navigator.userAgent": '"Cloudflare-Workers"' },
    minify: true,
    // It keeps stacks readable.
    sourcemap: "linked",
    plugins: [
      {
        name: "instead",
        setup({ onResolve }) {
          onResolve({ filter: /./ }, ({ path }) => {
            const file = INSTEAD[path];
            return file === undefined ? undefined : { path: join(root, file) };
          });
        },
      },
    ],
  });
}
