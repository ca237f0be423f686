import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { costNano } from "../../src/ledger/money.ts";
import { estimatePrompt, estimateTokens } from "../../src/models/tokens.ts";
import { type ServedRequest, startUpstream, type UpstreamServer } from "../upstream/server.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/** Clients whose socket is destroyed in the middle of an answer. What they are charged is compared with the provider's log. */

let upstream: UpstreamServer;
let waypost: Waypost;

beforeAll(async () => {
  upstream = await startUpstream();
  const models = ["slow-words", "brisk-words"];
  waypost = await startWaypost({
    vars: {
      // Nobody comes back.
      RESUME_GRACE_MS: "0",
      MODEL_PROVIDERS: JSON.stringify([
        {
          id: "paid",
          base_url: `${upstream.url}/v1`,
          local: false,
          models: models.map((name) => ({ name, context: 100_000 })),
        },
      ]),
      MODEL_PRICES: JSON.stringify(
        Object.fromEntries(models.map((name) => [`paid/${name}`, { input: "3", output: "15" }])),
      ),
    },
  });
});
afterAll(async () => {
  await waypost?.stop();
  await upstream?.close();
});

const PRICE = { input: 3_000_000, output: 15_000_000 };
const CLOUD = 10_300;

const words = (count: number): string => Array.from({ length: count }, (_, i) => `w${i}`).join(" ");

type Door = "REST" | "MCP";

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "leaver", version: "1.0.0" },
  "io.modelcontextprotocol/clientCapabilities": {},
  progressToken: "t",
};

function request(door: Door, input: object, idempotencyKey?: string): string {
  const mcp = door === "MCP";
  const params = { name: "chat", arguments: input, _meta: META };
  const body = JSON.stringify(
    mcp ? { jsonrpc: "2.0", id: 1, method: "tools/call", params } : { ...input, stream: true },
  );
  const { host } = new URL(waypost.url);
  return [
    `POST ${mcp ? "/mcp" : "/v1/chat"} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${waypost.apiKey}`,
    "Content-Type: application/json",
    "Accept: application/json, text/event-stream",
    ...(mcp ? ["MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: chat"] : []),
    ...(idempotencyKey ? [`Idempotency-Key: ${idempotencyKey}`] : []),
    `Content-Length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
}

/** Asks, reads until the answer's word `w<until>` has come, and destroys the socket. */
function leave(door: Door, input: object, until: number, idempotencyKey?: string): Promise<void> {
  const { hostname, port } = new URL(waypost.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(request(door, input, idempotencyKey)));
    let seen = "";
    socket.on("data", (bytes) => {
      seen += String(bytes);
      if (!seen.includes(`w${until} `)) return;
      socket.removeAllListeners("close");
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error(`the answer ended too early: ${seen.slice(0, 500)}`)));
  });
}

async function get<T>(path: string): Promise<T> {
  const headers = { authorization: `Bearer ${waypost.apiKey}` };
  return (await (await fetch(waypost.url + path, { headers })).json()) as T;
}

interface Line {
  id: string;
  tool: string;
  status: string;
  cost_nano: number;
  output_tokens: number;
  estimated: boolean;
}

interface Report {
  by_tool: Record<string, { calls: number }>;
  recent: Line[];
}

/** Every call of this file, as it was billed. */
const billed: Line[] = [];

/** The newest call of the chat tool, once there are `count` of them. */
async function settled(count: number): Promise<Line> {
  for (let i = 0; i < 600; i++) {
    const { by_tool, recent } = await get<Report>("/v1/usage?recent=50");
    const chats = recent.filter(({ tool }) => tool === "chat");
    if ((by_tool.chat?.calls ?? 0) >= count) {
      const newest = chats[0] as Line;
      if (!billed.some(({ id }) => id === newest.id)) billed.push(newest);
      return newest;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the call was never settled");
}

const audit = async () => (await get<{ books: object }>(`/v1/admin/accounts/${waypost.account}`)).books;

const chats = async (): Promise<number> => (await get<Report>("/v1/usage?recent=1")).by_tool.chat?.calls ?? 0;
const served = (): ServedRequest => upstream.log.at(-1) as ServedRequest;
const sum = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);
const priceOf = (usage: { input: number; output: number }) => costNano(usage, PRICE, CLOUD);

describe.each<Door>(["REST", "MCP"])("a client of %s that leaves in the middle", (door) => {
  test("of an answer that is soon done is charged what the provider reports", async () => {
    const before = await chats();
    await leave(door, { message: words(100), model: "paid/brisk-words" }, 5);
    const line = await settled(before + 1);
    const { usage, completed } = served();
    expect(completed).toBe(true);
    expect(line).toMatchObject({ status: "ok", estimated: false });
    expect(line.cost_nano).toBe(
      priceOf({ input: usage?.prompt_tokens as number, output: usage?.completion_tokens as number }),
    );
    expect(await audit()).toMatchObject({ consistent: true, reserved_nano: 0, open_holds: 0 });
  });

  test("of a long answer: the provider is cut, and what it had produced is charged as counted", async () => {
    const before = await chats();
    const message = words(2000);
    await leave(door, { message, model: "paid/brisk-words" }, 5);
    const line = await settled(before + 1);
    const { pieces, completed } = served();
    expect(completed).toBe(false);
    expect(pieces).toBeLessThan(600);
    expect(line).toMatchObject({ status: "client_closed", estimated: true });
    const said = `You said: ${message}`.match(/\S+\s*/g) ?? [];
    const counted = (count: number) => said.slice(0, count).reduce((sum, piece) => sum + estimateTokens(piece), 0);
    // What the provider wrote and what arrived may differ by what was on its way.
    expect(line.output_tokens).toBeLessThanOrEqual(counted(pieces));
    expect(line.output_tokens).toBeGreaterThan(counted(pieces - 20));
    const input = estimatePrompt([{ role: "user", content: message }]);
    expect(line.cost_nano).toBe(priceOf({ input, output: line.output_tokens }));
    expect(await audit()).toMatchObject({ consistent: true, reserved_nano: 0, open_holds: 0 });
  });
});

test("an answer that a repeated call can fetch is finished, charged once and kept", async () => {
  const before = await chats();
  const input = { message: words(500), model: "paid/brisk-words" };
  const key = crypto.randomUUID();
  await leave("REST", input, 5, key);
  const line = await settled(before + 1);
  expect(served()).toMatchObject({ completed: true });
  expect(line).toMatchObject({ status: "ok", estimated: false });
  const asked = upstream.log.length;
  const again = await fetch(`${waypost.url}/v1/chat`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${waypost.apiKey}`,
      "content-type": "application/json",
      "idempotency-key": key,
    },
    body: JSON.stringify(input),
  });
  expect(again.headers.get("idempotency-replayed")).toBe("true");
  expect(((await again.json()) as { text: string }).text).toBe(`You said: ${input.message}`);
  expect(upstream.log).toHaveLength(asked);
  expect((await settled(before + 1)).cost_nano).toBe(line.cost_nano);
  expect(await chats()).toBe(before + 1);
});

test("afterwards the ledger holds what the provider's log says, to the nano-USD", async () => {
  const whole = upstream.log.filter(({ completed }) => completed);
  const exact = billed.filter(({ estimated }) => !estimated);
  expect([exact.length, billed.length]).toEqual([whole.length, upstream.log.length]);
  const worth = whole.map(({ usage }) =>
    priceOf({ input: usage?.prompt_tokens as number, output: usage?.completion_tokens as number }),
  );
  expect(sum(exact.map(({ cost_nano }) => cost_nano))).toBe(sum(worth));
  expect(await audit()).toMatchObject({
    consistent: true,
    settled_cost_nano: sum(billed.map(({ cost_nano }) => cost_nano)),
  });
});
