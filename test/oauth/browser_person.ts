import type { Browser, BrowserContext, Page } from "playwright-core";
import { launchBrowser, withPasskeys } from "../web/browser.ts";

/** A person at a real browser that holds their passkey. */
export interface BrowserPerson {
  readonly page: Page;
  /** What the page says. */
  text(): Promise<string>;
  /** Opens a claim link and makes a passkey. */
  claim(link: string): Promise<void>;
  /** Visits an authorization address: signs in when asked to, and allows all but the scopes named. Resolves on the consent page's text. */
  allow(address: string, choice?: { without?: string[] }): Promise<string>;
  close(): Promise<void>;
}

export async function browserPerson(): Promise<BrowserPerson> {
  const browser: Browser = await launchBrowser();
  const context: BrowserContext = await browser.newContext();
  const page = await withPasskeys(await context.newPage());
  const text = async () => ((await page.locator("main").textContent()) ?? "").replace(/\s+/g, " ");
  return {
    page,
    text,
    async claim(link) {
      await page.goto(link);
      await page.getByRole("button", { name: "Create a passkey" }).click();
      await page.waitForURL("**/account");
    },
    async allow(address, { without = [] } = {}) {
      await page.goto(address);
      if (new URL(page.url()).pathname === "/sign-in") {
        await page.getByRole("button", { name: "Sign in with a passkey" }).click();
        await page.waitForURL("**/oauth/authorize**");
      }
      const said = await text();
      for (const scope of without) await page.locator(`input[name=scope][value="${scope}"]`).uncheck();
      const { origin } = new URL(page.url());
      await page.getByRole("button", { name: "Allow" }).click();
      await page.waitForURL((url) => url.origin !== origin);
      return said;
    },
    close: () => browser.close(),
  };
}
