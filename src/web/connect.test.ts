import { SELF } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { agentTools } from "../tools/registry.ts";
import { cursorLink, vsCodeLink } from "./connect_links.ts";

const AWKWARD = "https://waypost.example/mcp?tools=chat,search&x=ü~?>";

describe("the links", () => {
  test("of Cursor give back the configuration, whatever the address holds", () => {
    for (const mcp of ["http://localhost:8787/mcp", encodeURI(AWKWARD)]) {
      const link = new URL(cursorLink(mcp));
      expect(`${link.protocol}//${link.host}${link.pathname}`).toBe("cursor://anysphere.cursor-deeplink/mcp/install");
      expect(link.searchParams.get("name")).toBe("waypost");
      expect(JSON.parse(atob(link.searchParams.get("config") as string))).toEqual({ url: mcp });
    }
  });

  test("of VS Code give back the configuration", () => {
    for (const scheme of ["vscode", "vscode-insiders"] as const) {
      const [before, query] = vsCodeLink(AWKWARD, scheme).split("?", 2) as [string, string];
      expect(before).toBe(`${scheme}:mcp/install`);
      expect(JSON.parse(decodeURIComponent(query))).toEqual({ name: "waypost", type: "http", url: AWKWARD });
    }
  });
});

describe("the pages", () => {
  const base = "https://waypost.test";
  const get = (path: string, init?: RequestInit) => SELF.fetch(`${base}${path}`, init);

  test("/connect has the address filled in, and no place for a script or a key", async () => {
    const response = await get("/connect");
    expect(response.status).toBe(200);
    const text = await response.text();
    const hrefs = [...text.matchAll(/href="([^"]*)"/g)].map(([, href]) => (href as string).replaceAll("&amp;", "&"));
    expect(hrefs).toContain(cursorLink(`${base}/mcp`));
    expect(hrefs).toContain(vsCodeLink(`${base}/mcp`));
    expect(text).toContain(`claude mcp add --transport http waypost ${base}/mcp`);
    expect(text).not.toMatch(/wp_|<script/);
  });

  test("the address comes from the configuration, whatever a request claims", async () => {
    const headers = { "X-Forwarded-Host": "evil.example", Forwarded: "host=evil.example" };
    for (const path of ["/connect", "/llms.txt"])
      expect(await (await get(path, { headers })).text()).not.toContain("evil");
  });

  test("/llms.txt names every tool, and every link in it leads somewhere", async () => {
    const response = await get("/llms.txt");
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    const text = await response.text();
    expect(text).toMatch(/^# Waypost\n\n> /);
    for (const { name } of agentTools) expect(text).toContain(`- \`${name}\` (`);
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link as string);
    expect(links.length).toBeGreaterThan(3);
    for (const link of links) expect((await SELF.fetch(link)).status, link).toBe(200);
  });

  test("the home page leads to both", async () => {
    const text = await (await get("/")).text();
    expect(text).toContain('href="/connect"');
    expect(text).toContain('href="/llms.txt"');
  });
});
