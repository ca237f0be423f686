#!/usr/bin/env node
import { Bridge } from "./bridge/bridge.mjs";
import { readSettings, SettingsError, VERSION } from "./bridge/settings.mjs";

/** The command `waypost`. Plain JavaScript: it runs where it is installed, on any Node from 20 on, without a build. */

const HELP = `Usage: waypost mcp

Connects an MCP client that speaks stdio to a Waypost server: reads JSON-RPC from standard input, writes it to standard
output, and says on standard error what goes wrong. It ends when standard input ends.

Environment:
  WAYPOST_API_KEY  the account's API key, wp_... (required)
  WAYPOST_URL      the server, with or without /mcp (default http://localhost:8787)

Options:
  --help           show this
  --version        show the version
`;

/** @param {string} line */
const log = (line) => void process.stderr.write(`waypost: ${line}\n`);

/**
 * @param {string[]} args
 * @returns {Promise<number>} exit code
 */
async function main(args) {
  const [command, ...rest] = args;
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(HELP);
    return 0;
  }
  if (command === "--version") {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  if (command !== "mcp" || rest.length > 0) {
    log(`expected the command "mcp" and nothing else; --help shows what there is`);
    return 2;
  }
  const { stdin, stdout, env } = process;
  const bridge = new Bridge({ ...readSettings(env, log), stdin, stdout, log });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => void bridge.stop());
  await bridge.run();
  return 0;
}

try {
  const code = await main(process.argv.slice(2));
  // What was written last may still be on its way to a pipe.
  process.stdout.write("", () => process.exit(code));
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  log(error.message);
  process.exitCode = 2;
}
