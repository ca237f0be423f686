/**
 * Links that add this server to a client when they are followed. None of them holds a credential: the client signs its
 * user in.
 */

/** The server's name in a client's configuration. */
const NAME = "waypost";

/** Cursor: the configuration as base64 of its JSON. Base64 has `+`, `/` and `=`, which a query must not. */
export function cursorLink(mcp: string): string {
  const config = btoa(JSON.stringify({ url: mcp }));
  return `cursor://anysphere.cursor-deeplink/mcp/install?name=${NAME}&config=${encodeURIComponent(config)}`;
}

/** Visual Studio Code, or its Insiders edition: the configuration is the whole query, as JSON. */
export function vsCodeLink(mcp: string, scheme: "vscode" | "vscode-insiders" = "vscode"): string {
  return `${scheme}:mcp/install?${encodeURIComponent(JSON.stringify({ name: NAME, type: "http", url: mcp }))}`;
}
