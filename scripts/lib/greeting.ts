import { relative } from "node:path";
import type { Owner } from "./owner.ts";

/** What `--json` prints, in this order. */
export interface Running extends Owner {
  url: string;
  mcp: string;
  /** Process to send SIGTERM to. */
  pid: number;
}

/** What a person sees once it serves: addresses, key, and lines to paste. */
export function greeting({ url, mcp, apiKey }: Running, claim: string | null, stateDir: string): string {
  const config = {
    mcpServers: { waypost: { type: "http", url: mcp, headers: { Authorization: `Bearer ${apiKey}` } } },
  };
  return `
Waypost is running at ${url}  (Ctrl-C stops it)

  MCP      ${mcp}
  API key  ${apiKey}
  Data     ${nearest(stateDir)}
${claim ? `\nMake it yours, once, in a browser on this machine\n  ${claim}\n` : ""}
Claude Code (signs in through the browser; for a script add --header "Authorization: Bearer ${apiKey}")
  claude mcp add --transport http waypost ${mcp} && claude mcp login waypost

Other clients, in mcp.json (Cursor takes no key there: docs/clients/cursor.md)
  ${JSON.stringify(config)}

Try it in another terminal
  KEY=${apiKey}
  ${curl(`${url}/v1/documents`, { documents: [{ title: "Tea", text: "Green tea is best at 80 °C." }] })}
  ${curl(`${url}/v1/search`, { query: "how hot should the water for tea be" })}
`;
}

function curl(url: string, body: object): string {
  const headers = '-H "Authorization: Bearer $KEY" -H "Content-Type: application/json"';
  return `curl ${url} ${headers} -d '${JSON.stringify(body)}'`;
}

function nearest(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith("..") ? path : short || ".";
}
