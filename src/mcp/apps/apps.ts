/** Pages that a client shows in the conversation in place of a tool's text, by the tool's name (MCP Apps). */

export const USAGE_APP = "ui://waypost/usage";

const APPS: Readonly<Record<string, string>> = { usage: USAGE_APP };

export const isApp = (uri: string): boolean => uri.startsWith("ui://");

/** What the list of tools says of a tool's page; nothing for a tool without one. */
export function appMeta(tool: string): { _meta?: { ui: { resourceUri: string } } } {
  const resourceUri = APPS[tool];
  return resourceUri === undefined ? {} : { _meta: { ui: { resourceUri } } };
}
