import { parseArgs } from "node:util";
import { firstLine, StartFailure } from "./failure.ts";

export interface StartOptions {
  /** 0 = any free port. */
  port: number;
  /** State directory as given, relative to the working directory. */
  state: string;
  /** File with settings in `.dev.vars` format; null: that of the repository, if there is one. */
  vars: string | null;
  json: boolean;
  help: boolean;
}

export const DEFAULTS = { port: 8787, state: ".waypost", vars: ".dev.vars" } as const;

export const HELP = `Usage: npm start -- [options]

  --port N      port to listen on (default ${DEFAULTS.port}; 0 = any free port)
  --state DIR   where everything is kept (default ${DEFAULTS.state} in the repository)
  --vars FILE   file with settings (default ${DEFAULTS.vars} in the repository); the environment wins over it
  --json        print one JSON line once it serves: {"url", "mcp", "apiKey", "account", "pid"}
  --help        show this
`;

/**
 * Reads the command line. Relative paths given by hand are relative to the working directory, the defaults to the
 * repository.
 * @throws StartFailure for an unknown option, a missing value or a port that is none
 */
export function readOptions(argv: readonly string[], root: string): StartOptions {
  const { values } = parse(argv);
  return {
    port: readPort(values.port),
    state: readPath("--state", values.state) ?? `${root}/${DEFAULTS.state}`,
    vars: readPath("--vars", values.vars) ?? null,
    json: values.json ?? false,
    help: values.help ?? false,
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        port: { type: "string" },
        state: { type: "string" },
        vars: { type: "string" },
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new StartFailure(`${firstLine(error)} (--help lists the options)`);
  }
}

function readPort(text: string | undefined): number {
  if (text === undefined) return DEFAULTS.port;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new StartFailure(`--port must be a whole number from 0 to 65535, not "${text}"`);
  return port;
}

function readPath(option: string, path: string | undefined): string | undefined {
  if (path === "") throw new StartFailure(`${option} needs a path`);
  return path;
}
