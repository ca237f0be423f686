import { describe, expect, it } from "vitest";
import { account, agent, agentOf2025, rest } from "./client.ts";
import { ask } from "./mcp_ask.ts";

const URI = "ui://waypost/usage";

describe("the usage app", () => {
  it("is named by the usage tool alone, and read by clients of both years, whatever their scopes", async () => {
    const { key } = await account("enterprise", { scopes: ["usage"] });
    const [modern, legacy] = [await agent(key), await agentOf2025(key)];
    const { tools } = await modern.listTools();
    const shown = tools.filter(({ _meta }) => _meta?.ui !== undefined);
    expect(shown.map(({ name, _meta }) => [name, _meta?.ui])).toEqual([["usage", { resourceUri: URI }]]);
    const page = (await modern.readResource({ uri: URI })).contents[0] as { text: string; mimeType: string };
    expect(page.mimeType).toBe("text/html;profile=mcp-app");
    expect((await legacy.readResource({ uri: URI })).contents[0]).toMatchObject({ text: page.text });
    await modern.close();
    await legacy.close();
  });

  it("is one page that loads nothing, the same for everyone, and costs no call", async () => {
    const { key } = await account();
    const { body } = await ask(key, "resources/read", { uri: URI }, true);
    const [{ text }] = body.result.contents;
    expect(text).not.toMatch(/\b(src|href|action)\s*=|@import|url\(|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    expect(text).not.toMatch(/innerHTML|insertAdjacentHTML|eval\(|new Function/);
    expect(text.length).toBeLessThan(16_000);
    expect(body.result).toMatchObject({ cacheScope: "public" });
    const usage = (await rest(key, "GET", "/v1/usage")).body;
    expect(usage.total.calls).toBe(1);
  });

  it("is the only one: another is not found, and nobody reads it without a credential", async () => {
    const { key } = await account();
    for (const uri of ["ui://waypost/other", "ui://waypost/usage/", "ui://waypost/usage?x=1"]) {
      const { body } = await ask(key, "resources/read", { uri }, true);
      expect(body.error.data.code, uri).toBe("not_found");
    }
    expect((await ask(null, "resources/read", { uri: URI }, true)).status).toBe(401);
  });
});
