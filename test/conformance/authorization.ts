import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lastingPort } from "../node/lasting_port.ts";
import type { BrowserPerson } from "../oauth/browser_person.ts";
import { type Check, programOf } from "./suite.ts";

export interface AuthorizationOutcome {
  /** Exit code of the runner. */
  code: number | null;
  checks: Check[];
  output: string;
}

/**
 * The official scenarios for authorization servers, of one revision of the protocol. The runner asks for a person at a
 * browser, who must have signed up on the server.
 */
export async function runAuthorization(
  version: string,
  server: { url: string; mcp: string },
  person: BrowserPerson,
): Promise<AuthorizationOutcome> {
  const results = mkdtempSync(join(tmpdir(), "conformance-results-"));
  // Where the runner listens for the redirect: it takes none of the system's choice.
  const port = await lastingPort();
  try {
    const child = spawn(
      process.execPath,
      [
        ...[programOf("@modelcontextprotocol/conformance"), "authorization"],
        ...["--url", server.url, "--client-id", await registered(server.url, port), "--resource", server.mcp],
        ...["--port", String(port), "--spec-version", version, "--output-dir", results],
      ],
      { env: { ...process.env, HOME: results }, stdio: ["ignore", "pipe", "pipe"], timeout: 120_000 },
    );
    let output = "";
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    const address = new Promise<string | undefined>((found) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (text) => {
          output += text;
          const asked = /http:\/\/localhost:\d+\/oauth\/authorize\?\S+(?=\s)/.exec(output)?.[0];
          if (asked) found(asked);
        });
      }
      ended.then(() => found(undefined));
    });
    const asked = await address;
    if (asked) await person.allow(asked);
    const code = await ended;
    const checks = readdirSync(results, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith("checks.json"))
      .flatMap((file) => JSON.parse(readFileSync(join(results, file), "utf8")) as Check[]);
    return { code, checks, output };
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

async function registered(url: string, port: number): Promise<string> {
  const response = await fetch(`${url}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      client_name: "Conformance",
      redirect_uris: [`http://127.0.0.1:${port}/callback`],
      token_endpoint_auth_method: "none",
    }),
  });
  return ((await response.json()) as { client_id: string }).client_id;
}
