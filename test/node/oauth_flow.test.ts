import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type App, startApp } from "../oauth/app.ts";
import { type BrowserPerson, browserPerson } from "../oauth/browser_person.ts";
import { type TlsSite, tlsSite } from "../oauth/tls_site.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/** The whole way of an MCP client of the official SDK, with a person at a real browser. */

let site: TlsSite;
let waypost: Waypost;
let person: BrowserPerson;
const apps: App[] = [];
/** The metadata document the site serves. */
let document: Record<string, unknown> = {};

beforeAll(async () => {
  site = await tlsSite((_, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(document));
  });
  waypost = await startWaypost({
    vars: { PRIVATE_CLIENT_HOSTS: new URL(site.origin).host },
    env: { NODE_EXTRA_CA_CERTS: site.authority },
  });
  person = await browserPerson();
});
afterAll(async () => {
  for (const app of apps) await app.close();
  await person?.close();
  await waypost?.stop();
  await site?.close();
});

async function app(options: Partial<Parameters<typeof startApp>[0]> = {}): Promise<App> {
  const made = await startApp({
    name: "Test IDE",
    mcp: waypost.mcp,
    visit: async (address) => {
      consent = await person.allow(address);
    },
    ...options,
  });
  apps.push(made);
  return made;
}
/** What the consent page said last. */
let consent = "";

describe("an MCP client", () => {
  test("the first person claims the installation with a passkey, once", async () => {
    await person.claim(waypost.claim as string);
    expect(await person.text()).toContain("owner");
    await person.page.goto(waypost.claim as string);
    expect(await person.text()).toContain("It was used, has expired");
  });

  test("registers, is let in, calls, refreshes, and loses access when it is revoked", async () => {
    const ide = await app();
    await ide.connect();
    expect(consent).toContain("Test IDE");
    expect(consent).toContain("its name is not verified");
    expect(consent).toContain("a program on this computer");
    expect(ide.visits()).toBe(1);
    const me = await ide.call("whoami");
    expect(me.structuredContent).toMatchObject({ account: { id: waypost.account } });

    const before = { ...ide.stored.tokens };
    // As if it had expired: the server refuses it, and the client refreshes without the person.
    if (ide.stored.tokens) ide.stored.tokens.access_token = `${before.access_token}x`;
    expect((await ide.call("usage")).isError).toBeFalsy();
    expect(ide.stored.tokens?.access_token).not.toBe(before.access_token);
    expect(ide.stored.tokens?.refresh_token).not.toBe(before.refresh_token);
    expect(ide.visits()).toBe(1);

    await person.page.goto(`${waypost.url}/account`);
    await person.page.getByRole("button", { name: "Disconnect" }).first().click();
    await person.page.waitForURL("**/account");
    const refused = await fetch(waypost.mcp, {
      method: "POST",
      headers: { authorization: `Bearer ${ide.stored.tokens?.access_token}`, "content-type": "application/json" },
      body: "{}",
    });
    expect(refused.status).toBe(401);
    // The next call asks the person again, and then goes on.
    expect((await ide.call("usage")).isError).toBeFalsy();
    expect(ide.visits()).toBe(2);
  });

  test("steps up when a tool needs what was not allowed", async () => {
    const ide = await app({
      name: "Careful IDE",
      visit: (address) => person.allow(address, { without: stepped++ === 0 ? ["documents:write"] : [] }).then(() => {}),
    });
    let stepped = 0;
    await ide.connect();
    expect(ide.stored.tokens?.scope).not.toContain("documents:write");
    const added = await ide.call("add_documents", { documents: [{ id: "tea", text: "Green tea at 80 degrees." }] });
    expect(added.isError).toBeFalsy();
    expect(ide.visits()).toBe(2);
    expect(ide.stored.tokens?.scope).toContain("documents:write");
    expect(ide.stored.tokens?.scope).toContain("search");
  });

  test("is known by its metadata document, with a domain that was verified", async () => {
    const metadataUrl = `${site.origin}/client.json`;
    const ide = await app({ name: "Verified IDE", metadataUrl });
    document = {
      client_id: metadataUrl,
      client_name: "Verified IDE",
      redirect_uris: ["http://127.0.0.1/callback"],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    };
    await ide.connect();
    expect(consent).toContain("Published by localhost");
    expect((await ide.call("usage")).isError).toBeFalsy();
  });

  test("two programs of one person do not sign each other out", async () => {
    const [one, two] = [await app({ name: "One" }), await app({ name: "Two" })];
    await one.connect();
    await two.connect();
    expect((await one.call("usage")).isError).toBeFalsy();
    expect((await two.call("usage")).isError).toBeFalsy();
    expect([one.visits(), two.visits()]).toEqual([1, 1]);
  });
});
