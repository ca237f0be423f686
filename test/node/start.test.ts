import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { portFailure } from "../../scripts/lib/failure.ts";
import { SETTINGS } from "../../scripts/lib/settings.ts";
import { runStart, startWaypost, type Waypost, type WaypostOptions } from "./harness.ts";
import { call, eventually, logOf, processesOf } from "./started.ts";

const scratch = mkdtempSync(join(tmpdir(), "waypost-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

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

async function startedForTest(options: WaypostOptions): Promise<Waypost> {
  const waypost = await startWaypost(options);
  onTestFinished(async () => {
    await waypost.stop();
  });
  return waypost;
}

describe("a start", () => {
  let waypost: Waypost;
  beforeAll(async () => {
    waypost = await startWaypost();
  });
  afterAll(() => waypost?.stop());

  test("prints one JSON line whose addresses and key work", async () => {
    const { url, mcp, apiKey, account, pid, state } = waypost;
    expect(url).toMatch(/^http:\/\/localhost:\d+$/);
    expect(mcp).toBe(`${url}/mcp`);
    expect(apiKey.startsWith(`wp_${account}_`)).toBe(true);
    process.kill(pid, 0);
    expect((await call(waypost, "/health")).status).toBe(200);
    expect((await call(waypost, "/v1/usage")).status).toBe(200);
    expect((await fetch(`${url}/v1/usage`)).status).toBe(401);
    expect(processesOf(state)).toHaveLength(1);
  });

  test.runIf(process.platform === "linux")("leaves to workerd's allocator what makes it quick", () => {
    const workerd = readFileSync(join(waypost.state, "run/workerd.pid"), "utf8");
    expect(readFileSync(`/proc/${workerd}/environ`, "utf8")).toMatch(/GLIBC_TUNABLES=\S*glibc\.pthread\.rseq=0/);
  });

  test("logs every call as a line of JSON with a time", async () => {
    const logged = () => logOf(waypost).split("\n").slice(0, -1);
    const calls = () => logged().filter((line) => line.includes('"tool":"usage"')).length;
    const before = calls();
    // Lines of calls at once are written at once.
    await Promise.all(Array.from({ length: 5 }, () => call(waypost, "/v1/usage")));
    await eventually(() => calls() >= before + 5);
    for (const line of logged()) expect(Date.parse(JSON.parse(line).time), line).not.toBeNaN();
  });

  test("keeps secrets for the owner's eyes only", () => {
    for (const file of ["owner.json", "setup-token", "claim-link"]) {
      expect(statSync(join(waypost.state, file)).mode & 0o777).toBe(0o600);
    }
  });

  test("the second time has the same account, key and data", async () => {
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
    const { account, apiKey } = waypost;
    await waypost.kill();
    rmSync(join(waypost.state, "owner.json"));
    await waypost.restart();
    expect(waypost.account).toBe(account);
    expect(waypost.apiKey).not.toBe(apiKey);
    expect((await call(waypost, "/v1/usage")).status).toBe(200);
  });

  test("ends with code 0 and no process left", async () => {
    expect(await waypost.stop()).toBe(0);
    expect(processesOf(waypost.state)).toEqual([]);
    expect(existsSync(waypost.state)).toBe(false);
  });
});

test("explains its options on request", async () => {
  const { code, stdout, stderr } = await runStart(["--help"]);
  for (const option of ["--port", "--state", "--vars", "--json"]) expect(stdout).toContain(option);
  expect([code, stderr]).toEqual([0, ""]);
});

test("takes settings from the settings file, and the environment wins over it", async () => {
  const settingsFile = join(scratch, "vars");
  writeFileSync(settingsFile, `ALLOWED_ORIGINS="https://file.example"\n# a comment\nDEFAULT_MODEL=local/extractive\n`);
  const vars = { ALLOWED_ORIGINS: "https://environment.example" };
  const allows = async ({ url }: Waypost, origin: string) =>
    (await fetch(`${url}/health`, { headers: { origin } })).headers.get("access-control-allow-origin");
  const [byFile, byBoth] = await Promise.all([
    startedForTest({ settingsFile }),
    startedForTest({ settingsFile, vars }),
  ]);
  expect(await allows(byFile, "https://file.example")).toBe("https://file.example");
  expect(await allows(byBoth, "https://environment.example")).toBe("https://environment.example");
  expect(await allows(byBoth, "https://file.example")).toBeNull();
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
    onTestFinished(async () => {
      await Promise.all(won.map((each) => each.stop()));
    });
    expect(won).toHaveLength(1);
    expect(lost[0]).toContain(`is in use by another Waypost (pid ${won[0]?.pid})`);
    expect((await fetch(`${won[0]?.url}/health`)).status).toBe(200);
  });
});

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
