import type { Context } from "hono";
import { agentTools } from "../tools/registry.ts";
import { VERSION } from "../version.ts";

/** What a person sees who opens the server's address. */
export function home(c: Context): Response {
  const { origin } = new URL(c.req.url);
  const rows = agentTools
    .map(
      (tool) =>
        `<tr><td><code>${tool.name}</code><td><code>${tool.rest.method.toUpperCase()} /v1${tool.rest.path}</code><td>${tool.title}`,
    )
    .join("\n");
  return c.html(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Waypost</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; color: #1b1f24; background: #fff }
  code { font: 14px ui-monospace, monospace; background: #f1f3f5; padding: .1em .3em; border-radius: 4px }
  table { border-collapse: collapse; width: 100% } td { padding: .35rem .5rem .35rem 0; border-top: 1px solid #e3e6ea }
  @media (prefers-color-scheme: dark) { body { color: #e6e8eb; background: #14171a } code { background: #23282d } td { border-color: #2c3238 } }
</style>
<h1>Waypost</h1>
<p>Chat, usage, session sync and search for AI agents, IDEs and programs. Version ${VERSION}, running.</p>
<p>MCP: <code>${origin}/mcp</code> with <code>Authorization: Bearer &lt;API key&gt;</code>.
REST: <a href="/openapi.json">OpenAPI</a>, <a href="/errors">errors</a>. State: <a href="/health">health</a>, <a href="/ready">ready</a>.</p>
<table>${rows}</table>
</html>`);
}
