import type { Context } from "hono";
import { html } from "hono/html";
import { urlsOf } from "../auth/urls.ts";
import type { Http } from "../gate/route.ts";
import { agentTools } from "../tools/registry.ts";
import { VERSION } from "../version.ts";
import { showPage } from "./respond.ts";

/** What a person sees who opens the server's address. */
export function home(c: Context<Http>): Promise<Response> {
  const mcp = c.env.PUBLIC_URL ? `${urlsOf(c.env).issuer}/mcp` : "/mcp";
  const rows = agentTools.map(
    ({ name, title, rest }) =>
      html`<tr><td><code>${name}</code><td><code>${rest.method.toUpperCase()} /v1${rest.path}</code><td>${title}</tr>`,
  );
  return showPage(c, null, {
    title: "Home",
    body: html`<h1>Waypost</h1>
      <p>Chat, usage, session sync and search for AI agents, IDEs and programs. Version ${VERSION}, running.</p>
      <p>Add <code>${mcp}</code> to your agent or IDE: it asks you to sign in. Programs send
        <code>Authorization: Bearer &lt;API key&gt;</code>.</p>
      <p><a class="button" href="/connect">Connect an agent or IDE</a> <a class="button secondary" href="/account">Your account</a></p>
      <table>${rows}</table>
      <p class="quiet">REST: <a href="/openapi.json">OpenAPI</a>, <a href="/errors">errors</a>, <a href="/llms.txt">llms.txt</a>.
        State: <a href="/health">health</a>, <a href="/ready">ready</a>.</p>`,
  });
}
