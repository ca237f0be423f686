import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findOllama } from "../../scripts/lib/ollama.ts";
import { startUpstream, type UpstreamServer } from "../upstream/server.ts";

let upstream: UpstreamServer;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

async function look(settings: Record<string, string>) {
  const lines: string[] = [];
  const found = await findOllama(settings, (line) => lines.push(line));
  return { found, lines };
}

describe("looking for an Ollama", () => {
  test("its chat models come smallest first, and OLLAMA_HOST says where", async () => {
    const { found, lines } = await look({ OLLAMA_HOST: upstream.url });
    expect(found).toEqual({ OLLAMA_HOST: upstream.url, OLLAMA_MODELS: "llama3.2:1b,qwen3:8b" });
    expect(lines).toEqual([`Ollama at ${upstream.url}: 2 models`]);
  });

  test("stated models are not asked for, and `off` is not looked for", async () => {
    expect(await look({ OLLAMA_HOST: upstream.url, OLLAMA_MODELS: "mine" })).toEqual({ found: {}, lines: [] });
    expect(await look({ OLLAMA_HOST: "off" })).toEqual({ found: {}, lines: [] });
  });

  test("a stated one that is not there is said in one line and stays stated", async () => {
    const { found, lines } = await look({ OLLAMA_HOST: "127.0.0.1:9" });
    expect(found).toEqual({});
    expect(lines).toHaveLength(1);
  });

  test("one that never answers, or answers nonsense, does not hold up a start", async () => {
    const server = createServer((request, response) => {
      if (request.url?.includes("/silent/")) return;
      response.end(request.url?.includes("/html/") ? "<html>" : '{"models": {}}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const path of ["silent", "html", "nothing"]) {
      const begun = performance.now();
      const { found, lines } = await look({ OLLAMA_HOST: `${url}/${path}` });
      expect([found, lines.length]).toEqual([{}, 1]);
      expect(performance.now() - begun).toBeLessThan(2000);
    }
    server.closeAllConnections();
    server.close();
  });
});
