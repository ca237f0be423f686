import type { ReadResourceResult } from "@modelcontextprotocol/server";
import { USAGE_APP } from "./apps.ts";
import { BRIDGE_SCRIPT } from "./bridge_script.ts";
import { STYLE } from "./style.ts";
import { USAGE_SCRIPT } from "./usage_script.ts";

/** What a host shows in the conversation: one page that loads nothing and reaches no network. */

const MIME = "text/html;profile=mcp-app";
/** The same for everyone, and changes only with the server. */
const KEPT = { ttlMs: 300_000, cacheScope: "public" } as const;

const USAGE_PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Usage</title><style>${STYLE}</style></head>
<body><main aria-live="polite"><p class="faint">Waiting for the numbers.</p></main><script>"use strict";${BRIDGE_SCRIPT}${USAGE_SCRIPT}</script></body>
</html>
`;

/** Undefined when there is no such app. Costs no call: it holds nothing of anybody. */
export function readApp(uri: string): (ReadResourceResult & typeof KEPT) | undefined {
  if (uri !== USAGE_APP) return undefined;
  return { contents: [{ uri, mimeType: MIME, text: USAGE_PAGE, _meta: { ui: { prefersBorder: true } } }], ...KEPT };
}
