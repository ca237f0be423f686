import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runAuthorization } from "../conformance/authorization.ts";
import { startApp } from "../oauth/app.ts";
import { type BrowserPerson, browserPerson } from "../oauth/browser_person.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/** Programs that others wrote, as their users run them. */

const root = resolve(import.meta.dirname, "../..");
const modules = (path: string) => join(root, "node_modules", path);
const home = mkdtempSync(join(tmpdir(), "waypost-clients-"));

let waypost: Waypost;
let person: BrowserPerson;

beforeAll(async () => {
  waypost = await startWaypost();
  person = await browserPerson();
  await person.claim(waypost.claim as string);
});
afterAll(async () => {
  await person?.close();
  await waypost?.stop();
  rmSync(home, { recursive: true, force: true });
});

/** The first address in what a process prints that asks for authorization. */
function authorizationAddress(output: NodeJS.ReadableStream): Promise<string> {
  return new Promise((found) => {
    let text = "";
    output.on("data", (chunk) => {
      text += chunk;
      const address = /http:\/\/localhost:\d+\/oauth\/authorize\?\S+(?=\s)/.exec(text)?.[0];
      if (address) found(address);
    });
  });
}

function ended(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  let [out, err] = ["", ""];
  child.stdout?.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    err += chunk;
  });
  return new Promise((done) => child.once("close", (code) => done({ code, out, err })));
}

describe("mcp-remote", () => {
  test("signs in through the browser and carries a stdio client's calls", async () => {
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [modules("mcp-remote/dist/proxy.js"), waypost.mcp],
      env: { PATH: process.env.PATH ?? "", HOME: home, MCP_REMOTE_CONFIG_DIR: home },
      stderr: "pipe",
    });
    const client = new Client({ name: "stdio-host", version: "1.0.0" });
    const connected = client.connect(transport);
    await person.allow(await authorizationAddress(transport.stderr as unknown as NodeJS.ReadableStream));
    await connected;
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("search");
    const me = await client.callTool({ name: "whoami", arguments: {} });
    expect(JSON.stringify(me.content)).toContain(waypost.account);
    await client.close();
  });
});

describe("the MCP Inspector's command line", () => {
  test("lists and calls with an OAuth access token", async () => {
    const app = await startApp({ name: "Inspector", mcp: waypost.mcp, visit: (a) => person.allow(a).then(() => {}) });
    await app.connect();
    const inspect = async (...args: string[]) => {
      const header = ["--header", `Authorization: Bearer ${app.stored.tokens?.access_token}`];
      const bin = modules("@modelcontextprotocol/inspector");
      const { bin: bins } = JSON.parse(readFileSync(join(bin, "package.json"), "utf8"));
      const script = join(bin, typeof bins === "string" ? bins : (Object.values(bins)[0] as string));
      const env = { ...process.env, HOME: home, MCP_CATALOG_PATH: join(home, "catalog.json") };
      return ended(
        spawn(process.execPath, [script, "--cli", waypost.mcp, "--transport", "http", ...header, ...args], { env }),
      );
    };
    const listed = await inspect("--method", "tools/list");
    expect(listed.code, listed.err).toBe(0);
    expect(listed.out).toContain('"add_documents"');
    const called = await inspect("--method", "tools/call", "--tool-name", "whoami");
    expect(called.out).toContain(waypost.account);
    await app.close();
  });
});

describe("the protocol's own conformance runner", () => {
  test.each(["2025-11-25", "2026-07-28"])("passes every authorization scenario of %s", async (version) => {
    const { code, checks, output } = await runAuthorization(version, waypost, person);
    expect(code, output).toBe(0);
    expect(checks.map(({ id }) => id).sort()).toEqual(
      expect.arrayContaining(["authorization-code-grant", "authorization-server-metadata"]),
    );
    expect(checks.filter(({ status }) => status !== "SUCCESS")).toEqual([]);
  });
});
