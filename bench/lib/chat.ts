import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startWaypost, type Waypost } from "../../test/node/harness.ts";
import { type Child, startUpstream } from "./children.ts";
import type { Target } from "./load.ts";
import { runtimes, startPortkey } from "./portkey.ts";
import { bundle, serve } from "./workerd.ts";

/** The same question to one provider: asked directly, through a proxy that does nothing else, Waypost, Portkey's gateway. */
export interface ChatWorld {
  direct: Target;
  bare: Target;
  /** Through a proxy that has one row on disk before it answers, and does nothing else. */
  booking: Target;
  governed: Target;
  /** Governed, and streamed to the caller. */
  streamed: Target;
  /** Named by the Node that runs it. */
  portkey: Target[];
  waypost: Waypost;
  stop: () => Promise<void>;
}

const QUESTION = "When is high water at the harbour tonight, and how long will it stay?";
const MODEL = "quick";

/** `vars`: further settings of Waypost. */
export async function chatWorld(vars: Record<string, string>): Promise<ChatWorld> {
  const upstream = await startUpstream();
  const nodes = runtimes();
  const portkeys = await Promise.all(nodes.map((node) => startPortkey({ node })));
  const proxy = await serve(bundle("bare_proxy"));
  const directory = mkdtempSync(join(tmpdir(), "waypost-bench-"));
  const booking = await serve(bundle("booking_proxy"), { BOOK: { className: "Book", useSQLite: true } }, directory);
  const waypost = await startWaypost({ vars: { ...vars, ...priced(upstream) } });
  const completions = `${upstream.url}/v1/chat/completions`;
  const json = { "content-type": "application/json" };
  const wire = JSON.stringify({ model: MODEL, messages: [{ role: "user", content: QUESTION }], max_tokens: 1000 });
  const asked = { message: QUESTION, model: `bench/${MODEL}`, max_tokens: 1000 };
  const post = (name: string, url: string, headers: Record<string, string>, body: string): Target => ({
    name,
    url,
    method: "POST",
    headers: { ...json, ...headers },
    body,
  });
  const bearer = { authorization: `Bearer ${waypost.apiKey}` };
  return {
    waypost,
    direct: post("direct", completions, {}, wire),
    bare: post("bare", proxy.url, { "x-upstream": completions }, wire),
    booking: post("booking", booking.url, { "x-upstream": completions }, wire),
    governed: post("governed", `${waypost.url}/v1/chat`, bearer, JSON.stringify(asked)),
    streamed: post("streamed", `${waypost.url}/v1/chat`, bearer, JSON.stringify({ ...asked, stream: true })),
    portkey: portkeys.map(({ url }, i) =>
      post(
        nodes[i]?.name ?? "",
        `${url}/v1/chat/completions`,
        {
          "x-portkey-provider": "openai",
          "x-portkey-custom-host": `${upstream.url}/v1`,
          authorization: "Bearer sk-bench",
        },
        wire,
      ),
    ),
    async stop() {
      await Promise.all([waypost.stop(), proxy.stop(), booking.stop()]);
      for (const portkey of portkeys) portkey.stop();
      rmSync(directory, { recursive: true });
      upstream.stop();
    },
  };
}

/** A provider in the cloud with a price, so that every call is held, marked up and settled. */
const priced = ({ url }: Child) => ({
  MODEL_PROVIDERS: JSON.stringify([
    {
      id: "bench",
      base_url: `${url}/v1`,
      api_key: "sk-bench",
      local: false,
      models: [{ name: MODEL, context: 128_000 }],
    },
  ]),
  MODEL_PRICES: JSON.stringify({ [`bench/${MODEL}`]: { input: "3", output: "15" } }),
});
