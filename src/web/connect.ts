import type { Context } from "hono";
import { html } from "hono/html";
import { urlsOf } from "../auth/urls.ts";
import type { Http, Route } from "../gate/route.ts";
import { cursorLink, vsCodeLink } from "./connect_links.ts";
import { page } from "./handler.ts";
import { showPage } from "./respond.ts";

/** How to add this server to an agent or IDE: its address filled in, for those that are set up with one line or click. */
function connectPage(c: Context<Http>): Promise<Response> {
  const mcp = `${urlsOf(c.env).issuer}/mcp`;
  const ways: [client: string, what: string][] = [
    ["Claude Code", `claude mcp add --transport http waypost ${mcp}`],
    ["Codex", `codex mcp add waypost --url ${mcp}`],
    ["Gemini CLI", `gemini mcp add --transport http waypost ${mcp}`],
    ["Claude, ChatGPT", `${mcp} as a custom connector, if it is on the public internet`],
    ["Windsurf", `{"mcpServers":{"waypost":{"serverUrl":"${mcp}"}}}`],
    ["Zed", `{"context_servers":{"waypost":{"url":"${mcp}"}}}`],
  ];
  return showPage(c, null, {
    title: "Connect",
    body: html`<h1>Connect an agent or IDE</h1>
      <p>The address is <code>${mcp}</code>. A client that is given it opens your browser, where you sign in and choose what
        it may do.</p>
      <p class="row">
        <a class="button" href="${cursorLink(mcp)}">Add to Cursor</a>
        <a class="button" href="${vsCodeLink(mcp)}">Add to VS Code</a>
        <a class="button secondary" href="${vsCodeLink(mcp, "vscode-insiders")}">VS Code Insiders</a></p>
      <dl>${ways.map(([client, what]) => html`<dt>${client}<dd><code>${what}</code></dd>`)}</dl>
      <h2>Without a browser</h2>
      <p>A program, or a machine nobody sits at, sends <code>Authorization: Bearer &lt;API key&gt;</code> with every request.
        A client that speaks only stdio runs <code>waypost mcp</code> with <code>WAYPOST_URL=${mcp}</code> and
        <code>WAYPOST_API_KEY</code> in its environment.</p>
      <p class="quiet">What is connected, and ending it: <a href="/account">your account</a>. For agents that read:
        <a href="/llms.txt">llms.txt</a>.</p>`,
  });
}

export const connectRoutes: Route[] = [{ method: "GET", path: "/connect", guard: "open", handler: page(connectPage) }];
