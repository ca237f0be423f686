import { resolve } from "node:path";
import { firstLine, StartFailure } from "./lib/failure.ts";
import { greeting, type Running } from "./lib/greeting.ts";
import { openLog } from "./lib/log.ts";
import { findOllama } from "./lib/ollama.ts";
import { DEFAULTS, HELP, readOptions, type StartOptions } from "./lib/options.ts";
import { claimLink, ensureOwner, setupToken } from "./lib/owner.ts";
import { onPort } from "./lib/port.ts";
import { expectSettingsRead } from "./lib/ready.ts";
import { readSettings } from "./lib/settings.ts";
import { openState } from "./lib/state.ts";
import { endOrphan } from "./lib/workerd.ts";

const root = resolve(import.meta.dirname, "..");
/** Cloudflare runs the Worker's cron once an hour; here this process does. */
const CRON_MS = 3_600_000;
/** npm and the terminal may both deliver a signal: only one that comes later is a second one. */
const SAME_SIGNAL_MS = 500;
const npm = process.env.npm_lifecycle_event ? process.ppid : null;

/** Starts Waypost and keeps it running until a signal. Cleans up after itself whichever way it ends. */
async function start(options: StartOptions, signal: AbortSignal, hurry: AbortSignal): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const settings = readSettings(options.vars, resolve(root, DEFAULTS.vars), process.env);
  const state = openState(options.state, options.port);
  stack.defer(() => state.release());
  const log = openLog(state.path("waypost.log"));
  stack.defer(() => log.close());
  const token = setupToken(state);
  const { url, runtime } = await onPort(options.port, endOrphan(state) ? 5000 : 0, async (port) => {
    // Loaded only now: it takes a while, and a mistake on the command line is answered at once.
    const { serve } = await import("./lib/runtime.ts");
    const url = `http://localhost:${port}`;
    const ollama = await findOllama(settings, (line) => log.write("info", line));
    const bindings = { ...settings, ...ollama, ...addresses(settings, url, port), SETUP_TOKEN: token };
    return { url, runtime: await serve({ root, state, port, bindings, log, signal }) };
  });
  stack.defer(() => runtime.stop(hurry));
  await expectSettingsRead(url);
  const { account, apiKey } = await ensureOwner(state, url, token);
  const claim = await claimLink(state, url, token);
  const running: Running = { url, mcp: `${url}/mcp`, apiKey, account, pid: process.pid };
  if (!signal.aborted) {
    process.stdout.write(options.json ? `${JSON.stringify(running)}\n` : greeting(running, claim, state.dir));
  }
  const cron = setInterval(() => runtime.runCron().catch((error) => log.write("error", firstLine(error))), CRON_MS);
  stack.defer(() => clearInterval(cron));
  await aborted(signal);
}

/**
 * A browser keeps passkeys for names, not for numbers: the name is the public address, the number an alias of it. With a
 * public address of the operator's own (a tunnel), both are aliases.
 */
function addresses(settings: Record<string, string>, url: string, port: number) {
  const { PUBLIC_URL = url, ALIAS_URLS } = settings;
  const aliases = [ALIAS_URLS, url, `http://127.0.0.1:${port}`].filter((alias) => alias && alias !== PUBLIC_URL);
  return { PUBLIC_URL, ALIAS_URLS: aliases.join(",") };
}

/** Resolves on abort, or when the npm that runs this script is gone without having passed a signal on. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const watch = setInterval(() => {
      if (npm !== null && process.ppid !== npm) stop();
    }, 500);
    const stop = () => {
      clearInterval(watch);
      resolve();
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
  });
}

const stopping = new AbortController();
const hurrying = new AbortController();
let stoppedAt = 0;
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    if (!stopping.signal.aborted) {
      stoppedAt = performance.now();
      stopping.abort();
    } else if (performance.now() - stoppedAt > SAME_SIGNAL_MS) hurrying.abort();
  });
}

try {
  const options = readOptions(process.argv.slice(2), root);
  if (options.help) process.stdout.write(HELP);
  else await start(options, stopping.signal, hurrying.signal);
  process.exit(0);
} catch (error) {
  if (stopping.signal.aborted) process.exit(0);
  const message = error instanceof StartFailure ? error.message : `it failed to start: ${firstLine(error)}`;
  process.stderr.write(`waypost: ${message}\n`);
  process.exit(1);
}
