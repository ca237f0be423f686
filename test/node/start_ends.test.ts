import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startUpstream, type UpstreamServer } from "../upstream/server.ts";
import { startWaypost, type Waypost } from "./harness.ts";
import { call, eventually, guardOf, logOf, processesOf, workerdPid } from "./started.ts";

/** Ends of a started Waypost, asked for or not; each test goes on with what the one before started again. */

describe("an end that was asked for", () => {
  let provider: UpstreamServer;
  let waypost: Waypost;
  beforeAll(async () => {
    // Its answers take seconds, for a server that is ended meanwhile.
    provider = await startUpstream();
    const models = [{ name: "slow-words" }];
    const providers = [{ id: "own", base_url: `${provider.url}/v1`, local: true, models }];
    waypost = await startWaypost({ vars: { MODEL_PROVIDERS: JSON.stringify(providers) } });
  });
  afterAll(async () => {
    await waypost?.stop();
    await provider?.close();
  });

  test("loses no call that was counted a moment before, and leaves the rate windows as they were", async () => {
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
    const message = "word ".repeat(30);
    const chat = call(waypost, "/v1/chat", { message, model: "own/slow-words", session_id: "s" });
    await new Promise((done) => setTimeout(done, 500));
    const ended = waypost.restart();
    await expect
      .poll(() => call(waypost, "/v1/usage").then((r) => r.json() as Promise<object>, String))
      .toMatchObject({ code: "unavailable", detail: "The server is ending.", retry_after: 5 });
    expect((await chat).status).toBe(200);
    await ended;
    expect(await (await call(waypost, "/v1/sessions")).json()).toMatchObject({ sessions: [{ message_count: 2 }] });
  });

  test("a second Ctrl-C ends at once", async () => {
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
  });
});

describe("an end that was not asked for", () => {
  let waypost: Waypost;
  beforeAll(async () => {
    waypost = await startWaypost();
  });
  afterAll(() => waypost?.stop());

  test("a script that is killed takes workerd with it, and the next start has port, account and data again", async () => {
    const { url, apiKey, state, pid } = waypost;
    process.kill(pid, "SIGKILL");
    await eventually(() => processesOf(state).length === 0);
    await waypost.restart();
    expect([waypost.url, waypost.apiKey]).toEqual([url, apiKey]);
    expect((await call(waypost, "/v1/usage")).status).toBe(200);
  });

  test("a workerd that was left behind is ended by the next start", async () => {
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
    await waypost.kill();
    const bystander = spawn("sleep", ["60"]);
    writeFileSync(join(waypost.state, "run/workerd.pid"), String(bystander.pid));
    await waypost.restart();
    expect(bystander.exitCode).toBeNull();
    expect(bystander.signalCode).toBeNull();
    bystander.kill();
  });

  test("a workerd that crashes is started again on the same port", async () => {
    const { url } = waypost;
    const crashed = workerdPid(waypost);
    const logged = logOf(waypost).length;
    process.kill(crashed, "SIGKILL");
    await eventually(() => workerdPid(waypost) !== crashed);
    await expect.poll(() => fetch(`${url}/health`).then((r) => r.status, String), { timeout: 10_000 }).toBe(200);
    await eventually(() => logOf(waypost).slice(logged).includes("workerd ended unexpectedly"));
  });

  test("Ctrl-C, which reaches every process of the terminal, leaves none and is code 0", async () => {
    const { pid, state } = waypost;
    process.kill(-pid, "SIGINT");
    await eventually(() => processesOf(state).length === 0);
    expect(await waypost.stop()).toBe(0);
  });
});
