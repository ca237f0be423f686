import { startUpstream, type UpstreamServer } from "../upstream/server.ts";
import { freshAccount } from "./fresh_account.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/** A running Waypost with stand-ins for providers of both kinds, and what was billed for the calls made to it. */
export interface World {
  waypost: Waypost;
  upstream: UpstreamServer;
  /** Calls so far. */
  calls: () => Promise<number>;
  /** The newest call once all that were made are settled; with a status, once one has it. */
  lastCall: (status?: string) => Promise<Line>;
  /** The newest calls, up to 50. */
  recent: () => Promise<Line[]>;
  books: () => Promise<object>;
  /** Makes an account, for which no provider has failed yet, and tells of its calls from then on. Returns its key. */
  freshAccount: () => Promise<string>;
  stop: () => Promise<void>;
}

export interface Line {
  id: string;
  tool: string;
  model: string;
  status: string;
  cost_nano: number;
  input_tokens: number;
  output_tokens: number;
  estimated: boolean;
}

const MODELS = [
  "echo",
  "tokens-10-60",
  "brisk-words",
  "slow-words",
  "fail-400",
  "fail-400-context",
  "fail-401",
  "fail-429-retry-after",
  "fail-500",
  "fail-503",
  "flaky-4-500-then-ok",
  "wrong-content-type",
  "nonsense-count",
  "nonsense-chunk",
  "error-chunk",
  "cut-mid-stream",
  "end-mid-stream",
  "odd-stream",
];
const PRICE = { input: "3", output: "15" };

/** `paid/…` speaks OpenAI's chat completions, `anthropic/…` Anthropic's messages. */
export async function dropInWorld(): Promise<World> {
  const upstream = await startUpstream();
  const waypost = await startWaypost({
    vars: {
      PLANS: JSON.stringify({
        enterprise: { minute: 100_000, hour: 1_000_000, day: 10_000_000, monthlyTokens: null },
      }),
      ANTHROPIC_API_KEY: "sk-ant-stand-in",
      ANTHROPIC_BASE_URL: `${upstream.url}/v1`,
      MODEL_PROVIDERS: JSON.stringify([
        {
          id: "paid",
          base_url: `${upstream.url}/v1`,
          api_key: "sk-upstream",
          local: false,
          models: MODELS.map((name) => ({ name, context: 100_000 })),
        },
      ]),
      MODEL_PRICES: JSON.stringify(
        Object.fromEntries([
          ...MODELS.map((name) => [`paid/${name}`, PRICE]),
          ["paid/embed", { input: "1", output: "0" }],
          ...MODELS.map((name) => [`anthropic/${name}`, PRICE]),
        ]),
      ),
    },
  });
  let { account, apiKey } = waypost;
  const get = async <T>(path: string, key = apiKey): Promise<T> => {
    const headers = { authorization: `Bearer ${key}` };
    return (await (await fetch(waypost.url + path, { headers })).json()) as T;
  };
  const dropIns = async () => {
    const { by_tool, recent } = await get<{ by_tool: Record<string, { calls: number }>; recent: Line[] }>(
      "/v1/usage?recent=50",
    );
    const names = ["chat_completions", "responses", "messages", "embeddings"];
    const calls = names.reduce((sum, name) => sum + (by_tool[name]?.calls ?? 0), 0);
    return { calls, newest: recent.find(({ tool }) => names.includes(tool)) };
  };
  let seen: string | undefined;
  return {
    waypost,
    upstream,
    calls: async () => (await dropIns()).calls,
    async lastCall(status) {
      for (let i = 0; i < 600; i++) {
        const { newest } = await dropIns();
        if (newest && newest.id !== seen && (!status || newest.status === status)) {
          seen = newest.id;
          return newest;
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error("no call was settled");
    },
    recent: async () => (await get<{ recent: Line[] }>("/v1/usage?recent=50")).recent,
    books: async () => (await get<{ books: object }>(`/v1/admin/accounts/${account}`, waypost.apiKey)).books,
    async freshAccount() {
      ({ account, key: apiKey } = await freshAccount(waypost));
      return apiKey;
    },
    async stop() {
      await waypost.stop();
      await upstream.close();
    },
  };
}
