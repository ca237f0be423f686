import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { firstLine, StartFailure } from "./failure.ts";

/** Who runs on a state directory, for the message that a second start prints. */
interface Instance {
  pid: number;
  port: number;
}

/** The state directory, held by this process until it ends. */
export interface State {
  /** Absolute, without symbolic links. */
  dir: string;
  path(...parts: string[]): string;
  read(name: string): string | null;
  /** Replaces a file as a whole, readable by the owner only. */
  write(name: string, content: string): void;
  remove(name: string): void;
  release(): void;
}

/**
 * Opens the state directory for this process alone.
 * @throws StartFailure when another instance has it, or it cannot be written
 */
export function openState(dir: string, port: number): State {
  const real = makeDirectory(dir);
  const release = lock(real, port);
  const path = (...parts: string[]) => join(real, ...parts);
  const state: State = {
    dir: real,
    path,
    read: (name) => readIfThere(path(name)),
    write: (name, content) => {
      writeFileSync(path(`${name}.new`), content, { mode: 0o600 });
      renameSync(path(`${name}.new`), path(name));
    },
    remove: (name) => rmSync(path(name), { force: true }),
    release: () => {
      state.remove("instance.json");
      release();
    },
  };
  state.write("instance.json", JSON.stringify({ pid: process.pid, port } satisfies Instance));
  return state;
}

function makeDirectory(dir: string): string {
  try {
    makeAll(resolve(dir));
    return realpathSync(dir);
  } catch (error) {
    throw new StartFailure(`cannot use ${dir} as the state directory: ${firstLine(error)}`);
  }
}

/** Makes a directory and those above it. Node's own way never ends where one above is there and takes none, as `/proc` does. */
function makeAll(dir: string): void {
  try {
    mkdirSync(dir, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT") {
      if (isDirectory(dir)) return;
      throw error;
    }
    if (isDirectory(dirname(dir))) throw error;
    makeAll(dirname(dir));
    makeAll(dir);
  }
}

const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/**
 * Takes the operating system's lock on `<dir>/lock`, by way of SQLite. The system gives it back when this process ends in
 * whatever way, so a lock is never stale and two starts at the same moment cannot both have it. The short wait is for them:
 * each may hold a shared lock on the way to the exclusive one, and without it both would give up.
 */
function lock(dir: string, port: number): () => void {
  try {
    const database = new DatabaseSync(join(dir, "lock"), { timeout: 250 });
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return () => database.close();
  } catch (error) {
    const busy = (error as { errcode?: number }).errcode === 5;
    throw new StartFailure(busy ? inUse(dir, port) : `cannot lock the state directory ${dir}: ${firstLine(error)}`);
  }
}

function inUse(dir: string, port: number): string {
  const { pid, port: theirs } = readInstance(dir);
  const what = `the state directory ${dir}`;
  const taken = port === theirs && port !== 0 ? `port ${port} and ${what} are` : `${what} is`;
  return `${taken} in use by another Waypost (pid ${pid ?? "unknown"}); stop it, or use --state DIR and --port N`;
}

/** Who has the directory. One that has just taken it may not have said so yet, so it is given half a second. */
function readInstance(dir: string): Partial<Instance> {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; tries < 20; tries++) {
    try {
      return JSON.parse(readFileSync(join(dir, "instance.json"), "utf8"));
    } catch {
      Atomics.wait(pause, 0, 0, 25);
    }
  }
  return {};
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
