import { html } from "hono/html";
import { visible } from "../visible.ts";
import { TOKEN_FIELD } from "./form.ts";
import type { Visit } from "./visit.ts";

/** HTML that is escaped already: what `html` returns. */
export type Html = ReturnType<typeof html>;

/** The document around a page's content. */
export function layout(page: { title: string; body: Html; passkeys?: boolean; refreshTo?: string }): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${page.refreshTo === undefined ? null : html`<meta http-equiv="refresh" content="0;url=${page.refreshTo}">`}
<title>${page.title} &middot; Waypost</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/site.css">
${page.passkeys ? html`<script src="/assets/passkey.js" defer></script>` : null}
</head>
<body>
<header><a href="/">Waypost</a></header>
<main>${page.body}</main>
</body>
</html>`;
}

/** The hidden fields of a form: its token, and what it carries along. Null fields are left out. */
export async function hidden(visit: Visit, fields: Record<string, string | null> = {}): Promise<Html> {
  const present = Object.entries({ [TOKEN_FIELD]: await visit.formToken(), ...fields });
  return html`${present
    .filter(([, value]) => value !== null)
    .map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}`;
}

/** A moment for people, exact for machines. */
export function time(iso: string): Html {
  return html`<time datetime="${iso}">${iso.slice(0, 10)}, ${iso.slice(11, 16)} UTC</time>`;
}

/** Text chosen by strangers, cut to what can be read and without characters that reorder or hide it. */
export function plainText(text: string, most = 80): string {
  const line = visible(text);
  const characters = Array.from(line);
  return characters.length > most ? `${characters.slice(0, most).join("")}…` : line;
}
