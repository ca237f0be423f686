import { env, SELF } from "cloudflare:test";
import { inject } from "vitest";
import type { Env } from "../../src/env.ts";
import { CLIENT_ID, CLIENT_SECRET, GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET } from "../upstream/identity_clients.ts";
import { ORIGIN } from "./client.ts";

/** What the tests of sign-in with a provider need: the providers configured, and a browser that walks between the servers. */

const settings = env as unknown as Env;

/** Configures an OpenID Connect issuer for each mode of the stand-in, under the mode's name. */
export function configureIssuers(...modes: string[]): void {
  settings.OIDC_ISSUERS = JSON.stringify(
    modes.map((mode) => ({
      id: mode,
      name: `Issuer ${mode}`,
      issuer: issuerOf(mode),
      client_id: CLIENT_ID,
      ...(mode === "public" ? {} : { client_secret: CLIENT_SECRET }),
    })),
  );
}

/** `root` is found at the stand-in's own address. */
export const issuerOf = (mode: string): string =>
  mode === "root" ? inject("oidcUrl") : `${inject("oidcUrl")}/${mode}`;

/** Configures the stand-in GitHub in a mode. */
export function configureGithub(mode: string): void {
  settings.GITHUB_CLIENT_ID = GITHUB_CLIENT_ID;
  settings.GITHUB_CLIENT_SECRET = GITHUB_CLIENT_SECRET;
  settings.GITHUB_URL = `${inject("githubUrl")}/${mode}`;
  settings.GITHUB_API_URL = `${inject("githubUrl")}/${mode}/api`;
}

export interface Page {
  status: number;
  headers: Headers;
  body: string;
}

/** A browser: it keeps this server's cookies and follows no redirect unasked. */
export class Browser {
  readonly cookies = new Map<string, string>();

  async get(url: string, headers: Record<string, string> = {}): Promise<Page> {
    return this.send(url, { headers: { "Sec-Fetch-Site": "none", ...headers } });
  }

  async post(path: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Page> {
    return this.send(path, {
      method: "POST",
      body: new URLSearchParams(form).toString(),
      headers: {
        "Content-Type": "application/x-www-form-urlencoded",
        Origin: ORIGIN,
        "Sec-Fetch-Site": "same-origin",
        ...headers,
      },
    });
  }

  /** The form token that a page gave out. */
  async formToken(): Promise<string> {
    const path = this.user === null ? "/sign-in" : "/account";
    const page = await this.get(path);
    const token = /name="form_token" value="([^"]+)"/.exec(page.body)?.[1];
    if (!token) throw new Error(`no form token at ${path}: ${page.status}`);
    return token;
  }

  /** Presses the provider's button. */
  async begin(provider: string, fields: Record<string, string> = {}): Promise<Page> {
    return this.post(`/sign-in/with/${provider}`, { form_token: await this.formToken(), ...fields });
  }

  /** Presses the button, signs in at the provider as somebody, and returns the callback the provider sends back to. */
  async toCallback(provider: string, login: string, fields: Record<string, string> = {}): Promise<string> {
    const begun = await this.begin(provider, fields);
    if (begun.status !== 200) throw new Error(`${begun.status} ${begun.body}`);
    return this.atProvider(begun, login);
  }

  async atProvider(begun: Page, login: string): Promise<string> {
    const url = new URL(providerUrl(begun));
    url.searchParams.set("login", login);
    const answer = await fetch(url, { redirect: "manual" });
    const location = answer.headers.get("location");
    if (answer.status !== 302 || !location) throw new Error(`provider: ${answer.status} ${await answer.text()}`);
    return location;
  }

  /** The whole way: the page that the callback answers with. */
  async signIn(provider: string, login: string, fields: Record<string, string> = {}): Promise<Page> {
    return this.get(await this.toCallback(provider, login, fields), { "Sec-Fetch-Site": "cross-site" });
  }

  /** The user id in the session cookie, or null. */
  get user(): string | null {
    return this.cookies.get("__Host-waypost-session")?.split(".")[0] ?? null;
  }

  async send(url: string, init: RequestInit): Promise<Page> {
    const headers = new Headers(init.headers);
    if (this.cookies.size > 0) headers.set("Cookie", [...this.cookies].map((pair) => pair.join("=")).join("; "));
    const response = await SELF.fetch(new URL(url, ORIGIN), { ...init, headers, redirect: "manual" });
    for (const line of response.headers.getSetCookie()) {
      const [name = "", value = ""] = (line.split(";")[0] ?? "").split(/=(.*)/s);
      if (value === "" || /max-age=0/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return { status: response.status, headers: response.headers, body: await response.text() };
  }
}

/** Where the answer to a pressed button sends the browser. */
export function providerUrl(begun: Page): string {
  const url = /http-equiv="refresh" content="0; ?url=([^"]+)"/.exec(begun.body)?.[1];
  if (!url) throw new Error(`no way to the provider: ${begun.status} ${begun.body}`);
  return url.replaceAll("&amp;", "&");
}
