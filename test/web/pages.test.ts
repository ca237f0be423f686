import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startWaypost, type Waypost } from "../node/harness.ts";
import { launchBrowser, withPasskeys } from "./browser.ts";

/** The pages in a real Chromium, with a virtual passkey device: what only a browser can prove. */

let waypost: Waypost;
let browser: Browser;
let page: Page;
let callback: Server;
let callbackUrl: string;
/** What the browser complained about, such as what the pages' policy forbids. */
const complaints: string[] = [];

beforeAll(async () => {
  waypost = await startWaypost();
  browser = await launchBrowser();
  page = await withPasskeys(await (await browser.newContext()).newPage());
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  callback = createServer((request, response) => {
    // Sends the browser on to another origin, as the pages of clients do.
    const elsewhere = `http://localhost:${(callback.address() as AddressInfo).port}/elsewhere`;
    if (request.url?.startsWith("/callback")) response.writeHead(302, { Location: elsewhere });
    else response.setHeader("Content-Type", "text/html");
    response.end(request.url === "/frame" ? `<iframe src="${waypost.url}/sign-in"></iframe>` : "");
  }).listen(0);
  await once(callback, "listening");
  callbackUrl = `http://127.0.0.1:${(callback.address() as AddressInfo).port}/callback`;
});

afterAll(async () => {
  await browser?.close();
  callback?.close();
  await waypost?.stop();
});

const press = (name: string) => page.getByRole("button", { name, exact: true }).click();
const heading = () => page.locator("h1").textContent();

async function consentAddress(redirect: string): Promise<string> {
  const metadata = { redirect_uris: [redirect], client_name: "An app", token_endpoint_auth_method: "none" };
  const registered = await fetch(`${waypost.url}/oauth/register`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(metadata),
  });
  const { client_id } = (await registered.json()) as { client_id: string };
  const asked = { response_type: "code", client_id, redirect_uri: redirect, state: "s", scope: "chat search" };
  const query = new URLSearchParams({ ...asked, code_challenge: "A".repeat(43), code_challenge_method: "S256" });
  return `${waypost.url}/oauth/authorize?${query}`;
}

it("hands the owner's account over to who opens the link", async () => {
  await page.goto(waypost.claim ?? "");
  expect(await heading()).toBe("This is for owner");
  await press("Create a passkey");
  await page.waitForURL("**/account");
  expect(await page.locator("main").textContent()).toContain("runs this installation");
  await page.goto(waypost.claim ?? "");
  expect(await heading()).toBe("This link is not valid any more");
});

it("signs out, and in again with the passkey, and comes back to the page that was asked for", async () => {
  await page.goto(`${waypost.url}/account`);
  await press("Sign out");
  await page.waitForURL("**/sign-in");
  await page.goto(await consentAddress(callbackUrl));
  expect(new URL(page.url()).pathname).toBe("/sign-in");
  await press("Sign in with a passkey");
  await page.waitForURL("**/oauth/authorize**");
  expect(await heading()).toBe("Allow An app to use Waypost for you?");
});

it("goes on to a program on this computer, and wherever that leads", async () => {
  await page.goto(await consentAddress(callbackUrl));
  const arrived = page.waitForRequest((request) => request.url().startsWith(callbackUrl));
  await press("Allow");
  const request = await arrived;
  expect(new URL(request.url()).searchParams.get("code")).toBeTruthy();
  // A referrer would carry what the address of the page says.
  expect(await request.headerValue("referer")).toBeNull();
  await page.waitForURL("**/elsewhere");
});

it("hands an app its address, and says what to do if nothing happens", async () => {
  await page.goto(await consentAddress("cursor://anysphere.cursor-mcp/oauth/callback"));
  await press("Allow");
  await page.getByRole("heading", { name: "Going on to An app" }).waitFor();
  const link = await page.getByRole("link", { name: "Continue" }).getAttribute("href");
  expect(link).toMatch(/^cursor:\/\/anysphere\.cursor-mcp\/oauth\/callback\?code=/);
});

it("stays tied to the page of a client that opened it as a popup", async () => {
  await page.goto(new URL("/opener", callbackUrl).href);
  const address = await consentAddress(callbackUrl);
  const opened = page.waitForEvent("popup");
  await page.evaluate(`void open(${JSON.stringify(address)})`);
  const popup = await opened;
  await popup.getByRole("button", { name: "Allow" }).click();
  await popup.waitForURL("**/elsewhere");
  expect(await popup.evaluate("opener !== null")).toBe(true);
  await popup.close();
});

it("adds a second passkey only on another device", async () => {
  await page.goto(`${waypost.url}/account`);
  await press("Add a passkey");
  await page.getByText("This device has a passkey for this user already").waitFor();
  const second = await page.context().newPage();
  await withPasskeys(second);
  await second.goto(`${waypost.url}/account`);
  await second.getByLabel("A name for it").fill("Second device");
  await second.getByRole("button", { name: "Add a passkey" }).click();
  await second.getByText("Second device").waitFor();
  await second.close();
});

it("cannot be framed, and says where passkeys work", async () => {
  const alias = waypost.url.replace("localhost", "127.0.0.1");
  await page.goto(`${alias}/sign-in`);
  expect(await page.locator(".note").textContent()).toContain("Passkeys do not work at this address");
  await page.getByRole("link", { name: waypost.url }).click();
  await page.waitForURL(`${waypost.url}/**`);
  const refused = page.waitForResponse((response) => response.url() === `${waypost.url}/sign-in`);
  await page.goto(new URL("/frame", callbackUrl).href);
  expect((await refused).status()).toBe(403);
  expect(complaints.some((text) => text.includes("frame-ancestors 'none'"))).toBe(true);
});

it("needed nothing that its own policy forbids", async () => {
  const forbidden = complaints.filter((text) => /Content Security Policy/i.test(text));
  expect(forbidden.filter((text) => !text.startsWith("Framing"))).toEqual([]);
});
