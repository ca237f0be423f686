import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as ClientOf2025 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as HttpOf2025 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApp } from "../oauth/app.ts";
import { type BrowserPerson, browserPerson } from "../oauth/browser_person.ts";
import { startAgent } from "./agents_client/start.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/** Clients that others wrote, with an API key and with a person's OAuth token: what connects, lists and calls. */

const root = resolve(import.meta.dirname, "../..");
const modules = join(root, "node_modules");
const home = mkdtempSync(join(tmpdir(), "waypost-clients-"));

let waypost: Waypost;
let person: BrowserPerson;
/** What a client sends as its bearer. */
const bearers: Record<"an API key" | "an OAuth token", string> = { "an API key": "", "an OAuth token": "" };

beforeAll(async () => {
  waypost = await startWaypost();
  person = await browserPerson();
  await person.claim(waypost.claim as string);
  const app = await startApp({ name: "Clients", mcp: waypost.mcp, visit: (to) => person.allow(to).then(() => {}) });
  await app.connect();
  bearers["an API key"] = waypost.apiKey;
  bearers["an OAuth token"] = app.stored.tokens?.access_token as string;
  await app.close();
  const stored = await fetch(`${waypost.url}/v1/documents`, {
    method: "POST",
    headers: { Authorization: `Bearer ${waypost.apiKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ documents: [{ id: "tea", title: "Tea", text: "Green tea is best at 80 degrees." }] }),
  });
  expect(stored.status).toBe(200);
});
afterAll(async () => {
  await person?.close();
  await waypost?.stop();
  rmSync(home, { recursive: true, force: true });
});

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

describe("the page for CI", () => {
  const page = readFileSync(join(root, "docs/clients/headless.md"), "utf8");
  const commands = [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, command]) => command as string);

  test("its commands work as they stand: a key is made, searches over REST, and calls over MCP", async () => {
    const run = async (command: string, key: string) => {
      const given = command.replaceAll("http://localhost:8787", waypost.url);
      const env = { ...process.env, HOME: home, WAYPOST_API_KEY: key, CI_JOB_ID: "job-1" };
      const result = await ended(spawn("bash", ["-c", given], { cwd: root, env }));
      expect(result.code, result.err).toBe(0);
      return result.out;
    };
    const [make, search, inspect] = commands as [string, string, string];
    const { api_key, scopes } = JSON.parse(await run(make, waypost.apiKey));
    expect(scopes).toEqual(["search"]);
    expect(JSON.parse(await run(search, api_key))).toHaveProperty("results");
    expect(await run(inspect, api_key)).toContain(waypost.account);
  });
});

describe.each(["an API key", "an OAuth token"] as const)("with %s", (kind) => {
  const headers = () => ({ Authorization: `Bearer ${bearers[kind]}` });

  test("the SDK's first version", async () => {
    const client = new ClientOf2025({ name: "v1", version: "1.0.0" });
    const transport = new HttpOf2025(new URL(waypost.mcp), { requestInit: { headers: headers() } });
    await client.connect(transport as never);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("search");
    expect(JSON.stringify(await client.callTool({ name: "whoami", arguments: {} }))).toContain(waypost.account);
    expect((await client.listPrompts()).prompts.length).toBeGreaterThan(0);
    expect((await client.listResources()).resources.length).toBeGreaterThan(0);
    await client.close();
  });

  test.each(["2026-07-28", "legacy"] as const)("the SDK's second version, speaking %s", async (era) => {
    const mode = era === "legacy" ? era : { pin: era };
    const client = new Client({ name: "v2", version: "1.0.0" }, { versionNegotiation: { mode } });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(waypost.mcp), { requestInit: { headers: headers() } }),
    );
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("search");
    const found = await client.callTool({ name: "search", arguments: { query: "how hot for tea" } });
    expect(JSON.stringify(found)).toContain("80 degrees");
    await client.close();
  });

  test("the client of Cloudflare's agents", async () => {
    const agent = await startAgent();
    const { tools, me } = await agent.ask({ url: waypost.mcp, bearer: bearers[kind] }).finally(agent.stop);
    expect(tools).toContain("search");
    expect(me).toContain(waypost.account);
  });

  test("the Inspector's command line lists, calls, reads and gets a prompt", async () => {
    const inspect = async (...args: string[]) => {
      const script = join(modules, ".bin/mcp-inspector");
      const given = [
        "--cli",
        waypost.mcp,
        "--transport",
        "http",
        "--header",
        `Authorization: ${headers().Authorization}`,
      ];
      const env = { ...process.env, HOME: home, MCP_CATALOG_PATH: join(home, "catalog.json") };
      const result = await ended(spawn(process.execPath, [script, ...given, ...args], { env }));
      expect(result.code, result.err).toBe(0);
      return JSON.parse(result.out);
    };
    const { tools } = await inspect("--method", "tools/list");
    expect(tools.map(({ name }: { name: string }) => name)).toContain("search");
    const found = ["--tool-name", "search", "--tool-arg", "query=how hot for tea"];
    expect(JSON.stringify(await inspect("--method", "tools/call", ...found))).toContain("80 degrees");
    const read = await inspect("--method", "resources/read", "--uri", "waypost://documents/tea");
    expect(JSON.stringify(read)).toContain("80 degrees");
    const { prompts } = await inspect("--method", "prompts/list");
    const [prompt] = prompts.filter(({ arguments: given = [] }: { arguments?: { required?: boolean }[] }) =>
      given.every(({ required }) => !required),
    );
    const { messages } = await inspect("--method", "prompts/get", "--prompt-name", prompt.name);
    expect(messages.length).toBeGreaterThan(0);
  });

  test("mcp-remote", async () => {
    const transport = new StdioClientTransport({
      command: process.execPath,
      // As the page says: the header's space is kept out of the arguments.
      args: [join(modules, "mcp-remote/dist/proxy.js"), waypost.mcp, "--header", `Authorization:\${WAYPOST_AUTH}`],
      env: {
        PATH: process.env.PATH ?? "",
        HOME: home,
        MCP_REMOTE_CONFIG_DIR: home,
        WAYPOST_AUTH: headers().Authorization,
      },
      stderr: "ignore",
    });
    const client = new Client({ name: "stdio-host", version: "1.0.0" });
    await client.connect(transport);
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("search");
    expect(JSON.stringify(await client.callTool({ name: "whoami", arguments: {} }))).toContain(waypost.account);
    await client.close();
  });
});
