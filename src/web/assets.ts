import type { Route } from "../gate/route.ts";
import { PASSKEY_SCRIPT } from "./assets/passkey_script.ts";
import { ICON, STYLE } from "./assets/style.ts";

/** What the pages load: a stylesheet, an icon and a script. Asked for again each hour, so that an update soon shows. */
export const assetRoutes: Route[] = [
  asset("/assets/site.css", "text/css; charset=utf-8", STYLE),
  // Clients on pages elsewhere show it.
  asset("/assets/icon.svg", "image/svg+xml", ICON, "cross-origin"),
  asset("/assets/passkey.js", "text/javascript; charset=utf-8", PASSKEY_SCRIPT),
];

function asset(path: string, type: string, text: string, readers = "same-origin"): Route {
  const headers = {
    "Content-Type": type,
    "Cache-Control": "public, max-age=3600",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": readers,
  };
  return { method: "GET", path, guard: "open", handler: (c) => c.body(text, 200, headers) };
}
