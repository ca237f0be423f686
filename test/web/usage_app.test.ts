import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Browser, FrameLocator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startWaypost, type Waypost } from "../node/harness.ts";
import { startUpstream, type UpstreamServer } from "../upstream/server.ts";
import { hostPage, underPolicy } from "./app_host.ts";
import { launchBrowser } from "./browser.ts";

/** The usage app in a real Chromium, shown by the official host bridge with what a real server says. */

let waypost: Waypost;
let upstream: UpstreamServer;
let browser: Browser;
let client: Client;
let html: string;
let page: Page;
let app: FrameLocator;
const complaints: string[] = [];
const requests: string[] = [];

interface Report {
  month: string;
  total: { calls: number; cost_nano: number };
  [field: string]: unknown;
}
const call = async (name: string, input: Record<string, unknown>) =>
  (await client.callTool({ name, arguments: input })) as unknown as { structuredContent: Report; content: unknown[] };

beforeAll(async () => {
  upstream = await startUpstream();
  waypost = await startWaypost({
    vars: {
      MODEL_PROVIDERS: JSON.stringify([
        { id: "paid", base_url: `${upstream.url}/v1`, api_key: "sk-x", local: false, models: [{ name: "echo" }] },
      ]),
      MODEL_PRICES: JSON.stringify({ "paid/tokens-12345-678": { input: "3", output: "15" } }),
    },
  });
  client = new Client({ name: "host", version: "1" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  const requestInit = { headers: { Authorization: `Bearer ${waypost.apiKey}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${waypost.url}/mcp`), { requestInit }));
  const { tools } = await client.listTools();
  const ui = tools.find(({ name }) => name === "usage")?._meta?.ui as { resourceUri: string };
  const { contents } = await client.readResource({ uri: ui.resourceUri });
  html = underPolicy((contents[0] as { text: string }).text);
  for (let i = 0; i < 3; i++) await call("chat", { message: "Hello", model: "paid/tokens-12345-678" });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await client?.close();
  await waypost?.stop();
  await upstream?.close();
});

async function show(how: Record<string, unknown>, scheme: "light" | "dark" = "light", width = 480): Promise<void> {
  await page?.context().close();
  const context = await browser.newContext({ colorScheme: scheme, viewport: { width, height: 720 } });
  page = await context.newPage();
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", ({ url }) => requests.push(url()));
  await page.exposeFunction("callTool", ({ name, arguments: input }: { name: string; arguments: object }) =>
    call(name, { ...input }),
  );
  await page.setContent(await hostPage());
  await page.evaluate(`window.show(${JSON.stringify({ html, ...how })})`);
  app = page.frameLocator("iframe");
}

/** The value of an expression in the app's own window. */
const inside = (expression: string) => page.frames()[1]?.evaluate(expression);

/** A picture to look at, in the directory that SHOTS names. */
async function shot(name: string): Promise<void> {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
}

beforeEach(() => {
  complaints.length = 0;
  requests.length = 0;
});

describe("the usage app", () => {
  it("shows spend, quota and limits, in words too, and asks the network for nothing", async () => {
    const result = await call("usage", {});
    const { total, month } = result.structuredContent;
    await show({ result, hostContext: { theme: "light" } });
    expect(await app.locator("h1").textContent()).toBe(`Usage in ${month}`);
    const spent = (total.cost_nano / 1e9).toLocaleString("en-US", { style: "currency", currency: "USD" });
    expect(total.cost_nano).toBeGreaterThan(100_000_000);
    expect(await app.locator(".sum").textContent()).toBe(spent);
    const chart = app.getByRole("img");
    expect(await chart.getAttribute("aria-label")).toMatch(new RegExp(`Cost a day in ${month}. Most on .*${"\\$"}0.1`));
    expect(await app.getByRole("meter").count()).toBe(3);
    for (const meter of await app.getByRole("meter").all()) {
      expect(await meter.getAttribute("aria-valuetext")).toMatch(/^[\d,]+ of [\d,]+ left/);
    }
    await app.locator("summary").click();
    expect(await app.locator("tbody tr").count()).toBe(1);
    expect(await app.locator("tbody tr").textContent()).toContain(spent);
    expect(complaints).toEqual([]);
    expect(requests.filter((url) => !/^(about|data):/.test(url))).toEqual([]);
    const sizes = (await page.evaluate("window.told.sizes")) as { height: number }[];
    expect(sizes.at(-1)?.height).toBeGreaterThan(250);
    await shot("usage-light");
  });

  it("is dark where the host is, whatever the system says, and takes the host's colours", async () => {
    const result = await call("usage", {});
    const ground = () => inside("getComputedStyle(document.body).backgroundColor");
    await show({ result, hostContext: { theme: "dark" } });
    expect(await ground()).toBe("rgb(28, 28, 31)");
    await shot("usage-dark");
    await page.evaluate("window.bridge.setHostContext({ theme: 'light' })");
    await expect.poll(ground).toBe("rgb(255, 255, 255)");
    const variables = { "--color-background-primary": "rgb(1, 2, 3)" };
    await show({ result, hostContext: { styles: { variables } } }, "dark");
    await expect.poll(ground).toBe("rgb(1, 2, 3)");
  });

  it("is renewed through the host, with the arguments of the call it shows, where the host lets it", async () => {
    const result = await call("usage", { recent: 0 });
    await show({ result, args: { recent: 0 } });
    expect(await app.getByRole("button").count()).toBe(0);
    await show({ result, args: { recent: 0 }, serverTools: true });
    const sum = app.locator(".sum");
    const before = await sum.textContent();
    await call("chat", { message: "Hello", model: "paid/tokens-12345-678" });
    await app.getByRole("button", { name: "Refresh" }).click();
    await expect.poll(() => sum.textContent()).not.toBe(before);
    expect(await page.evaluate("window.told.calls")).toMatchObject([{ name: "usage", arguments: { recent: 0 } }]);
  });

  it("treats what it is given as text, and an error as words", async () => {
    const { structuredContent } = await call("usage", {});
    const evil = '<img src=x onerror="parent.postMessage(1)"><b>bold</b>';
    await show({ result: { content: [], structuredContent: { ...structuredContent, plan: evil, notices: [evil] } } });
    await expect.poll(() => app.locator("header").textContent()).toContain("<b>bold</b>");
    expect(await app.locator("b, img").count()).toBe(0);
    await show({ result: { isError: true, content: [{ type: "text", text: "rate_limited: Too many calls." }] } });
    await expect.poll(() => app.locator("main").textContent()).toBe("rate_limited: Too many calls.");
    await show({ result: { content: [], structuredContent: { month: "2026-13" } } });
    await expect.poll(() => app.locator("main").textContent()).toMatch(/in words/);
  });

  it("fits a narrow column, and a plan without an end", async () => {
    const { structuredContent: report } = await call("usage", {});
    const tokens = { included: null, used: 5, reserved: 0, remaining: null, resets_at: "2026-12-01T00:00:00.000Z" };
    await show(
      { result: { content: [], structuredContent: { ...report, tokens, left_out: { by_day: 2 } } } },
      "light",
      280,
    );
    await expect.poll(() => app.locator("main").textContent()).toContain("2 further days had calls and are not drawn.");
    await expect.poll(() => app.locator("main").textContent()).toContain("Plan tokens: unlimited.");
    expect(await inside("document.documentElement.scrollWidth")).toBeLessThanOrEqual(280);
    await shot("usage-narrow");
  });
});
