import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { portFailure } from "../../scripts/lib/failure.ts";
import { SETTINGS } from "../../scripts/lib/settings.ts";
import { startUpstream } from "../upstream/server.ts";
import { runStart, startWaypost, type Waypost } from "./harness.ts";

const scratch = mkdtempSync(join(tmpdir(), "waypost-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let waypost: Waypost | undefined;
afterEach(async () => {
  await waypost?.stop();
  waypost = undefined;
});

const call = (server: Waypost, path: string, body?: object) =>
  fetch(server.url + path, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${server.apiKey}`, "content-type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

const workerdPid = (server: Waypost) => Number(readFileSync(join(server.state, "run/workerd.pid"), "utf8"));

const logOf = ({ state }: Waypost) => readFileSync(join(state, "waypost.log"), { encoding: "utf8", flag: "a+" });

/** Processes that were started from this state directory. */
function processesOf(state: string): string[] {
  const all = execFileSync("ps", ["-A", "-o", "args="], { encoding: "utf8", env: { ...process.env, COLUMNS: "500" } });
  return all.split("\n").filter((line) => line.startsWith(join(state, "run/workerd")));
}

/** Waits up to a minute: these are real processes, on machines that may be busy. */
async function eventually(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1200 && !condition(); i++) await new Promise((done) => setTimeout(done, 50));
  expect(condition()).toBe(true);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function oneLine(stderr: string): string {
  expect(stderr).toMatch(/^waypost: [^\n]+\n$/);
  return stderr;
}

describe("a start", () => {
  test("prints one JSON line whose addresses and key work, and ends with code 0 and no process left", async () => {
    waypost = await startWaypost();
    const { url, mcp, apiKey, account, pid, state } = waypost;
    expect(url).toMatch(/^http:\/\/localhost:\d+$/);
    expect(mcp).toBe(`${url}/mcp`);
    expect(apiKey.startsWith(`wp_${account}_`)).toBe(true);
    process.kill(pid, 0);
    expect((await call(waypost, "/health")).status).toBe(200);
    expect((await call(waypost, "/v1/usage")).status).toBe(200);
    expect((await fetch(`${url}/v1/usage`)).status).toBe(401);
    expect(processesOf(state)).toHaveLength(1);
    expect(await waypost.stop()).toBe(0);
    expect(processesOf(state)).toEqual([]);
    expect(existsSync(state)).toBe(false);
  });

  test("explains its options on request", async () => {
    const { code, stdout, stderr } = await runStart(["--help"]);
    for (const option of ["--port", "--state", "--vars", "--json"]) expect(stdout).toContain(option);
    expect([code, stderr]).toEqual([0, ""]);
  });

  test("logs every call as a line of JSON with a time", async () => {
    waypost = await startWaypost();
    await call(waypost, "/v1/usage");
    await eventually(() => logOf(waypost as Waypost).includes('"tool":"usage"'));
    for (const line of logOf(waypost).trim().split("\n")) expect(Date.parse(JSON.parse(line).time)).not.toBeNaN();
  });

  test("keeps secrets for the owner's eyes only", async () => {
    waypost = await startWaypost();
    for (const file of ["owner.json", "setup-token", "claim-link"]) {
      expect(statSync(join(waypost.state, file)).mode & 0o777).toBe(0o600);
    }
  });

  test("the second time has the same account, key and data", async () => {
    waypost = await startWaypost();
    const first = { ...waypost };
    const mutation = { id: "01JZZZZZZZZZZZZZZZZZZZZZZZ", kind: "session.create", session_id: "kept", title: "Kept" };
    const pushed = await call(waypost, "/v1/sync", { device_id: "test-device", push: [mutation] });
    expect(pushed.status).toBe(200);
    await waypost.restart();
    expect(waypost.pid).not.toBe(first.pid);
    expect([waypost.url, waypost.account, waypost.apiKey]).toEqual([first.url, first.account, first.apiKey]);
    const listed = await (await call(waypost, "/v1/sessions")).text();
    expect(listed).toContain('"Kept"');
  });

  test("gets another key for the same account when the first was never saved", async () => {
    waypost = await startWaypost();
    const { account, apiKey } = waypost;
    await waypost.kill();
    rmSync(join(waypost.state, "owner.json"));
    await waypost.restart();
    expect(waypost.account).toBe(account);
    expect(waypost.apiKey).not.toBe(apiKey);
    expect((await call(waypost, "/v1/usage")).status).toBe(200);
  });

  test("takes settings from the settings file, and the environment wins over it", async () => {
    const vars = join(scratch, "vars");
    writeFileSync(vars, `ALLOWED_ORIGINS="https://file.example"\n# a comment\nDEFAULT_MODEL=local/extractive\n`);
    const allows = async (origin: string) =>
      (await fetch(`${waypost?.url}/health`, { headers: { origin } })).headers.get("access-control-allow-origin");
    waypost = await startWaypost({ settingsFile: vars });
    expect(await allows("https://file.example")).toBe("https://file.example");
    await waypost.stop();
    waypost = await startWaypost({ settingsFile: vars, vars: { ALLOWED_ORIGINS: "https://environment.example" } });
    expect(await allows("https://environment.example")).toBe("https://environment.example");
    expect(await allows("https://file.example")).toBeNull();
  });
});

describe("a start that cannot be", () => {
  test.each([
    [["--bogus"], "--bogus"],
    [["--port", "http"], "--port"],
    [["--port", "65536"], "--port"],
    [["--port=-1"], "--port"],
    [["--port"], "--port"],
    [["extra"], "extra"],
    [["--state", "package.json"], "package.json"],
    [["--vars", "src", "--state", join(scratch, "unused")], "src"],
    [["--vars", join(scratch, "absent.vars"), "--state", join(scratch, "unused")], "absent.vars"],
    [["--state", "/proc/waypost"], "/proc/waypost"],
    [["--state", "package.json/below/it"], "package.json/below/it"],
  ])("%j says so in one line", async (args, named) => {
    const { code, stdout, stderr } = await runStart(args);
    expect(oneLine(stderr)).toContain(named);
    expect([code, stdout]).toEqual([1, ""]);
  });

  test("a port in use is one line", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as { port: number };
    const { code, stdout, stderr } = await runStart(["--port", String(port), "--state", join(scratch, "busy-port")]);
    holder.close();
    expect(oneLine(stderr)).toContain(`port ${port} is in use`);
    expect([code, stdout]).toEqual([1, ""]);
  });

  test("a port that is forbidden is not said to be in use", () => {
    const refused = (code: string) => portFailure(80, Object.assign(new Error(`listen ${code}: 80`), { code })).message;
    expect(refused("EACCES")).toMatch(/^port 80 may not be used by this user; use --port N/);
    expect(refused("EADDRNOTAVAIL")).toMatch(/^port 80 cannot be used: listen EADDRNOTAVAIL: 80; use --port N/);
    expect(refused("EADDRINUSE")).toMatch(/^port 80 is in use/);
  });

  test("settings that cannot be read are one line, and nothing is set up", async () => {
    const state = join(scratch, "wrong-settings");
    const vars = { PLANS: "{", CACHE_HIT: "10%" };
    const failed = await startWaypost({ state, vars }).catch((error: Error) => error.message);
    expect(failed).toMatch(/waypost: PLANS must be a JSON object[^\n]+; CACHE_HIT must be [^\n]+/);
    expect(existsSync(join(state, "owner.json"))).toBe(false);
    expect(processesOf(state)).toEqual([]);
  });

  test("of two starts at the same moment on one state directory, one serves and the other names it", async () => {
    const state = join(scratch, "shared");
    const outcomes = await Promise.allSettled([startWaypost({ state }), startWaypost({ state })]);
    const won = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    const lost = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [String(outcome.reason)] : []));
    waypost = won[0];
    expect(won).toHaveLength(1);
    expect(lost[0]).toContain(`is in use by another Waypost (pid ${waypost?.pid})`);
    expect((await fetch(`${waypost?.url}/health`)).status).toBe(200);
  });
});

describe("an end that was asked for", () => {
  /** A provider whose answer takes seconds, for a server that is ended meanwhile. */
  async function slowProvider() {
    const provider = await startUpstream();
    const models = [{ name: "slow-words" }];
    return {
      MODEL_PROVIDERS: JSON.stringify([{ id: "own", base_url: `${provider.url}/v1`, local: true, models }]),
      close: () => provider.close(),
    };
  }

  test("loses no call that was counted a moment before, and leaves the rate windows as they were", async () => {
    waypost = await startWaypost();
    for (let i = 0; i < 8; i++) {
      const { status } = await call(waypost, "/v1/documents", { documents: [{ id: `d${i}`, text: `text ${i}` }] });
      expect(status).toBe(200);
    }
    // As a terminal does it: every process of it gets the signal.
    process.kill(-waypost.pid, "SIGINT");
    await waypost.restart();
    const usage = await call(waypost, "/v1/usage");
    const { by_tool } = (await usage.json()) as { by_tool: object };
    expect(by_tool).toMatchObject({ add_documents: { calls: 8 } });
    const rate = (of: string) => Number(usage.headers.get(`x-ratelimit-${of}`));
    expect(rate("limit") - rate("remaining")).toBe(9);
  });

  test("waits for a call that runs, and lets no other begin", async () => {
    const { MODEL_PROVIDERS, close } = await slowProvider();
    waypost = await startWaypost({ vars: { MODEL_PROVIDERS } });
    const message = "word ".repeat(30);
    const chat = call(waypost, "/v1/chat", { message, model: "own/slow-words", session_id: "s" });
    await new Promise((done) => setTimeout(done, 500));
    const ended = waypost.restart();
    await expect
      .poll(() => call(waypost as Waypost, "/v1/usage").then((r) => r.json() as Promise<object>, String))
      .toMatchObject({ code: "unavailable", detail: "The server is ending.", retry_after: 5 });
    expect((await chat).status).toBe(200);
    await ended;
    close();
    expect(await (await call(waypost, "/v1/sessions")).json()).toMatchObject({ sessions: [{ message_count: 2 }] });
  });

  test("a second Ctrl-C ends at once", async () => {
    const { MODEL_PROVIDERS, close } = await slowProvider();
    waypost = await startWaypost({ vars: { MODEL_PROVIDERS } });
    const { pid, state } = waypost;
    const chat = call(waypost, "/v1/chat", { message: "word ".repeat(400), model: "own/slow-words" }).catch(String);
    await new Promise((done) => setTimeout(done, 500));
    process.kill(-pid, "SIGINT");
    await new Promise((done) => setTimeout(done, 1_000));
    expect(processesOf(state)).toHaveLength(1);
    const second = performance.now();
    process.kill(-pid, "SIGINT");
    expect(await waypost.stop()).toBe(0);
    expect(performance.now() - second).toBeLessThan(2_500);
    expect(processesOf(state)).toEqual([]);
    await chat;
    close();
  });
});

describe("an end that was not asked for", () => {
  test("Ctrl-C, which reaches every process of the terminal, leaves none and is code 0", async () => {
    waypost = await startWaypost();
    const { pid, state } = waypost;
    process.kill(-pid, "SIGINT");
    await eventually(() => processesOf(state).length === 0);
    expect(await waypost.stop()).toBe(0);
  });

  test("a script that is killed takes workerd with it, and the next start has port, account and data again", async () => {
    waypost = await startWaypost();
    const { url, apiKey, state, pid } = waypost;
    process.kill(pid, "SIGKILL");
    await eventually(() => processesOf(state).length === 0);
    await waypost.restart();
    expect([waypost.url, waypost.apiKey]).toEqual([url, apiKey]);
    expect((await call(waypost, "/v1/usage")).status).toBe(200);
  });

  test("a workerd that was left behind is ended by the next start", async () => {
    waypost = await startWaypost();
    const { url, state, pid } = waypost;
    const orphan = workerdPid(waypost);
    process.kill(guardOf(state), "SIGKILL");
    process.kill(pid, "SIGKILL");
    await new Promise((done) => setTimeout(done, 500));
    process.kill(orphan, 0);
    await waypost.restart();
    expect(waypost.url).toBe(url);
    expect(workerdPid(waypost)).not.toBe(orphan);
    expect(processesOf(state)).toHaveLength(1);
  });

  test("the noted process id of something else is left alone", async () => {
    waypost = await startWaypost();
    await waypost.kill();
    const bystander = spawn("sleep", ["60"]);
    writeFileSync(join(waypost.state, "run/workerd.pid"), String(bystander.pid));
    await waypost.restart();
    expect(bystander.exitCode).toBeNull();
    expect(bystander.signalCode).toBeNull();
    bystander.kill();
  });

  test("a workerd that crashes is started again on the same port", async () => {
    waypost = await startWaypost();
    const { url } = waypost;
    const crashed = workerdPid(waypost);
    process.kill(crashed, "SIGKILL");
    await eventually(() => workerdPid(waypost as Waypost) !== crashed);
    await expect.poll(() => fetch(`${url}/health`).then((r) => r.status, String), { timeout: 10_000 }).toBe(200);
    await eventually(() => logOf(waypost as Waypost).includes("workerd ended unexpectedly"));
  });
});

/** The process that watches over workerd on this state directory. */
function guardOf(state: string): number {
  const all = execFileSync("ps", ["-A", "-o", "pid=,args="], { encoding: "utf8" });
  const line = all.split("\n").find((entry) => entry.includes(`waypost-guard ${state}/`));
  return Number(line?.trim().split(" ", 1)[0]);
}

describe("npm start", () => {
  let printed = "";
  beforeAll(async () => {
    const state = join(scratch, "npm");
    const child = spawn("npm", ["start", "--", "--port", "0", "--state", state, "--vars", "/dev/null"], {
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    child.stdout.on("data", (chunk) => {
      printed += chunk;
    });
    try {
      await eventually(() => printed.includes("Try it"));
    } finally {
      process.kill(-(child.pid as number), "SIGINT");
      await once(child, "close");
    }
    expect(processesOf(state)).toEqual([]);
  });

  test("prints the addresses, the key and lines to paste", () => {
    const key = /API key {2}(wp_\S+)/.exec(printed)?.[1];
    const mcp = /MCP {6}(http:\S+)/.exec(printed)?.[1];
    expect(printed).toContain(`claude mcp add --transport http waypost ${mcp} && claude mcp login waypost\n`);
    expect(printed).toContain(`--header "Authorization: Bearer ${key}"`);
    expect(printed).toMatch(/http:\/\/localhost:\d+\/claim\/[0-9a-z]{40}\n/);
    const config = JSON.parse(/^\s*(\{"mcpServers".*)$/m.exec(printed)?.[1] ?? "");
    expect(config.mcpServers.waypost).toEqual({ type: "http", url: mcp, headers: { Authorization: `Bearer ${key}` } });
  });

  test.each(["SIGTERM", "SIGKILL"] as const)("leaves no process behind when npm alone gets %s", async (signal) => {
    const state = join(scratch, signal);
    const args = ["start", "--silent", "--", "--json", "--port", "0", "--state", state, "--vars", "/dev/null"];
    const child = spawn("npm", args, { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(child.stdout, "data");
    const { pid } = JSON.parse(String(line));
    child.kill(signal);
    await once(child, "close");
    await eventually(() => !isAlive(pid) && processesOf(state).length === 0);
  });

  test("runs on the Node that the package brings, whichever the machine has", () => {
    const version = execFileSync("npm", ["exec", "--", "node", "--version"], { encoding: "utf8" });
    const { devDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(version.trim()).toBe(`v${devDependencies.node}`);
  });
});

test(".dev.vars.example names every setting", () => {
  const example = readFileSync(".dev.vars.example", "utf8");
  expect(SETTINGS.filter((name) => !example.includes(`${name}=`))).toEqual([]);
});
