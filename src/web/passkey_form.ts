import type { Context } from "hono";
import { html } from "hono/html";
import { passkeyHost } from "../auth/passkey_ceremonies.ts";
import { urlsOf } from "../auth/urls.ts";
import type { Http } from "../gate/route.ts";
import { pathOf } from "./handler.ts";
import { type Html, hidden } from "./layout.ts";
import type { Visit } from "./visit.ts";

export interface PasskeyForm {
  /** What the browser does: make a passkey, or sign with one. */
  kind: "create" | "get";
  /** Takes the finished form. */
  action: string;
  /** Gives the options for the browser's call. */
  options: string;
  label: string;
  /** Carried along. */
  fields?: Record<string, string | null>;
  /** Inputs before the button. */
  inputs?: Html;
}

/** A form that the passkey script completes; where passkeys cannot work, what to do instead. */
export async function passkeyForm(c: Context<Http>, visit: Visit, form: PasskeyForm): Promise<Html> {
  const host = passkeyHost(c.env);
  if (host === null) {
    return html`<p class="note">Passkeys need a host name, and this server's public address is a number. Its operator can
      set PUBLIC_URL to a name, such as http://localhost with the same port.</p>`;
  }
  // Only decides which words to show: what counts is checked against the configuration when the passkey is used.
  if (new URL(c.req.url).hostname !== host) {
    const there = `${urlsOf(c.env).issuer}${pathOf(c)}`;
    return html`<p class="note">Passkeys do not work at this address. Open <a href="${there}">${there}</a> instead: it is the
      same server.</p>`;
  }
  return html`<form method="post" action="${form.action}" data-passkey="${form.kind}" data-options="${form.options}">
    ${await hidden(visit, { ...form.fields, credential: "" })}
    ${form.inputs ?? null}
    <button>${form.label}</button>
    <p role="status" class="quiet"></p>
    <noscript><p class="note">Passkeys need JavaScript, on this page alone.</p></noscript>
  </form>`;
}
