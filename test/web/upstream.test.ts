import { afterAll, beforeAll, expect, it } from "vitest";
import { startWaypost, type Waypost } from "../node/harness.ts";
import { CLIENT_ID, CLIENT_SECRET, GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET } from "../upstream/identity_clients.ts";
import { startGithub } from "../upstream/identity_github.ts";
import { startOidc } from "../upstream/identity_oidc.ts";
import type { IdentityServer } from "../upstream/identity_wire.ts";
import { launchBrowser } from "./browser.ts";

type Chromium = Awaited<ReturnType<typeof launchBrowser>>;

let chromium: Chromium;
let waypost: Waypost;
let servers: IdentityServer[];

beforeAll(async () => {
  const [oidc, github] = await Promise.all([startOidc(), startGithub()]);
  servers = [oidc, github];
  const corp = { id: "es256", name: "Corp", issuer: `${oidc.url}/es256` };
  waypost = await startWaypost({
    vars: {
      OIDC_ISSUERS: JSON.stringify([{ ...corp, client_id: CLIENT_ID, client_secret: CLIENT_SECRET }]),
      GITHUB_CLIENT_ID,
      GITHUB_CLIENT_SECRET,
      GITHUB_URL: `${github.url}/honest`,
      GITHUB_API_URL: `${github.url}/honest/api`,
    },
  });
  chromium = await launchBrowser();
}, 60_000);

afterAll(async () => {
  await chromium?.close();
  await waypost?.stop();
  await Promise.all(servers.map((server) => server.close()));
});

/** A browser of its own, at an address. */
async function open(url: string) {
  const page = await (await chromium.newContext()).newPage();
  await page.goto(url);
  return page;
}

it("the owner claims the account with one provider and adds another, by buttons alone", {
  timeout: 60_000,
}, async () => {
  const page = await open(waypost.claim ?? "");
  await page.getByRole("button", { name: "Sign in with Corp" }).click();
  await page.waitForURL(`${waypost.url}/account`);
  expect(await page.locator("main").textContent()).toContain("with Corp");
  await page.getByRole("button", { name: "Add GitHub" }).click();
  await page.waitForURL(`${waypost.url}/account`);
  await expect.poll(() => page.locator("main").textContent()).toContain("somebody");

  const elsewhere = await open(`${waypost.url}/sign-in?next=/account`);
  await elsewhere.getByRole("button", { name: "Sign in with GitHub" }).click();
  await elsewhere.waitForURL(`${waypost.url}/account`);
  expect(await elsewhere.locator("main").textContent()).toContain("with GitHub");
});

it("whoever comes by the numeric address is led to the name and gets in there", { timeout: 60_000 }, async () => {
  const page = await open(`${waypost.url.replace("localhost", "127.0.0.1")}/sign-in`);
  await page.getByRole("button", { name: "Sign in with GitHub" }).click();
  await page.waitForURL(`${waypost.url}/sign-in?next=%2Faccount`);
  await page.getByRole("button", { name: "Sign in with Corp" }).click();
  await page.waitForURL(`${waypost.url}/account`);
  expect(await page.locator("main").textContent()).toContain("with Corp");
});
