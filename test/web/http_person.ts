import { create, type Device, device, sign } from "./authenticator.ts";

/** A person with a browser and a passkey device, speaking to the server the way Chromium does. */

export interface PageReply {
  status: number;
  headers: Headers;
  text: string;
  /** Where a redirect or the page's refresh leads. */
  to: string | null;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export class HttpPerson {
  readonly cookies = new Map<string, string>();
  device: Device;
  readonly #origin: string;
  readonly #send: Fetch;

  constructor(origin: string, send: Fetch) {
    this.device = device(origin);
    this.#origin = origin;
    this.#send = send;
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<PageReply> {
    return this.#fetch(path, { headers: { "Sec-Fetch-Site": "none", "Sec-Fetch-Dest": "document", ...headers } });
  }

  /** Sends fields to a path, from one of the site's own pages unless headers say otherwise. */
  async post(path: string, fields: [string, string][], headers: Record<string, string> = {}): Promise<PageReply> {
    const type = "application/x-www-form-urlencoded";
    const own = { "Content-Type": type, "Sec-Fetch-Site": "same-origin", Origin: "null" };
    const body = new URLSearchParams(fields).toString();
    return this.#fetch(path, { method: "POST", body, headers: { ...own, ...headers } });
  }

  /** Sends a form of a page, with its hidden and checked fields, changed or completed by `fields`. */
  async submit(page: PageReply, action: string, fields: Record<string, string | string[]> = {}): Promise<PageReply> {
    return this.post(action, formOf(page, action, fields));
  }

  /** Does what a page's passkey script does, and sends the form. */
  async usePasskey(page: PageReply, action: string, fields: Record<string, string> = {}): Promise<PageReply> {
    const answer = await this.answer(page, action, fields);
    return typeof answer === "string" ? this.submit(page, action, { ...fields, credential: answer }) : answer;
  }

  /** The device's answer for the form with this action, as the script puts it there; the server's reply when it asks nothing. */
  async answer(page: PageReply, action: string, fields: Record<string, string> = {}): Promise<string | PageReply> {
    const form = formTag(page.text, action);
    const reply = await this.post(attribute(form, "data-options"), formOf(page, action, fields), {
      Origin: this.#origin,
    });
    if (reply.status !== 200) return reply;
    const options = JSON.parse(reply.text);
    const creates = attribute(form, "data-passkey") === "create";
    return JSON.stringify(await (creates ? create(this.device, options) : sign(this.device, options)));
  }

  async #fetch(path: string, init: RequestInit): Promise<PageReply> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = new Headers(init.headers);
    if (cookie) headers.set("Cookie", cookie);
    const response = await this.#send(`${this.#origin}${path}`, { ...init, headers, redirect: "manual" });
    for (const set of response.headers.getSetCookie()) this.#keep(set);
    const text = await response.text();
    const refresh = /http-equiv="refresh" content="0;url=([^"]*)"/.exec(text)?.[1];
    const to = response.headers.get("location") ?? (refresh === undefined ? null : unescapeHtml(refresh));
    return { status: response.status, headers: response.headers, text, to };
  }

  #keep(set: string): void {
    const [pair = "", ...attributes] = set.split("; ");
    const at = pair.indexOf("=");
    if (attributes.includes("Max-Age=0")) this.cookies.delete(pair.slice(0, at));
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }
}

/** The fields a browser would send for the form with this action. */
export function formOf(page: PageReply, action: string, changes: Record<string, string | string[]> = {}) {
  const start = page.text.indexOf(formTag(page.text, action));
  const inner = page.text.slice(start, page.text.indexOf("</form>", start));
  const fields: [string, string][] = [];
  for (const [input] of inner.matchAll(/<input\b[^>]*>/g)) {
    const type = attribute(input, "type");
    const name = attribute(input, "name");
    if ((type === "checkbox" || type === "radio") && !/\bchecked\b/.test(input)) continue;
    if (!(name in changes)) fields.push([name, attribute(input, "value")]);
  }
  for (const [name, value] of Object.entries(changes)) for (const one of [value].flat()) fields.push([name, one]);
  return fields;
}

function formTag(html: string, action: string): string {
  const tag = [...html.matchAll(/<form\b[^>]*>/g)].find(([found]) => attribute(found, "action") === action);
  if (!tag) throw new Error(`the page has no form for ${action}: ${html}`);
  return tag[0];
}

const attribute = (tag: string, name: string): string =>
  unescapeHtml(new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? "");

const unescapeHtml = (text: string): string =>
  text
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
