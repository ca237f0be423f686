import { connect, type Socket } from "node:net";
import { type ServedRequest, startUpstream, type UpstreamServer } from "../upstream/server.ts";
import { startWaypost, type Waypost, type WaypostOptions } from "./harness.ts";

/** Waypost with a provider of slow answers, and a client of event streams over a plain socket that can be cut anywhere. */

export const PRICE = { input: 3_000_000, output: 15_000_000 };
export const words = (count: number): string => Array.from({ length: count }, (_, i) => `w${i}`).join(" ");

export interface World {
  upstream: UpstreamServer;
  waypost: Waypost;
  close(): Promise<void>;
}

export async function startWorld(vars: WaypostOptions["vars"] = {}): Promise<World> {
  const upstream = await startUpstream();
  const models = ["slow-words", "brisk-words", "echo"];
  const waypost = await startWaypost({
    vars: {
      MODEL_PROVIDERS: JSON.stringify([
        {
          id: "paid",
          base_url: `${upstream.url}/v1`,
          local: false,
          models: models.map((name) => ({ name, context: 200_000, max_output: 50_000 })),
        },
      ]),
      MODEL_PRICES: JSON.stringify(
        Object.fromEntries(models.map((name) => [`paid/${name}`, { input: "3", output: "15" }])),
      ),
      // Waiting for a bill asks often.
      PLANS: JSON.stringify({ enterprise: { minute: 100_000, hour: 100_000, day: 100_000, monthlyTokens: null } }),
      ...vars,
    },
  });
  const close = async () => {
    await waypost.stop();
    await upstream.close();
  };
  return { upstream, waypost, close };
}

export const served = ({ upstream }: World): ServedRequest => upstream.log.at(-1) as ServedRequest;

export interface StreamEvent {
  event: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the server says
  data: any;
  id: string;
}

/** One answer as far as it was read. */
export class Reading {
  status = 0;
  head = "";
  events: StreamEvent[] = [];
  lastId = "";
  comments = 0;
  ended = false;
  #raw = "";
  readonly #socket: Socket;
  #changed = () => {};

  constructor(url: string, key: string, method: string, path: string, headers: Record<string, string>, body?: object) {
    const { hostname, port, host } = new URL(url);
    const text = body ? JSON.stringify(body) : "";
    this.#socket = connect(Number(port), hostname, () => {
      const lines = Object.entries({
        Host: host,
        Authorization: `Bearer ${key}`,
        Connection: "close",
        ...(body ? { "Content-Type": "application/json", "Content-Length": String(Buffer.byteLength(text)) } : {}),
        ...headers,
      }).map(([name, value]) => `${name}: ${value}\r\n`);
      this.#socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${text}`);
    });
    this.#socket.setEncoding("utf8");
    this.#socket.on("data", (piece) => this.#read(String(piece)));
    this.#socket.on("close", () => this.#end());
    this.#socket.on("error", () => this.#end());
  }

  get text(): string {
    return this.events.flatMap(({ event, data }) => (event === "delta" ? [data.text as string] : [])).join("");
  }
  get last(): StreamEvent | undefined {
    return this.events.at(-1);
  }
  get callId(): string {
    return /^x-waypost-call-id: (\S+)/im.exec(this.head)?.[1] ?? "";
  }
  header(name: string): string | undefined {
    return new RegExp(`^${name}: (.*)$`, "im").exec(this.head)?.[1]?.trim();
  }
  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  cut(): void {
    this.#socket.destroy();
  }

  async until(met: (reading: Reading) => boolean): Promise<this> {
    const deadline = Date.now() + 60_000;
    while (!met(this)) {
      if (this.ended || Date.now() > deadline) throw new Error(`it never came: ${this.head}${this.#raw.slice(0, 500)}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
        setTimeout(resolve, 1_000);
      });
    }
    return this;
  }
  async whole(): Promise<this> {
    while (!this.ended) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    return this;
  }
  /** A body that is no stream. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the server says
  get json(): any {
    return JSON.parse(/\{[\s\S]*\}/.exec(this.#raw)?.[0] ?? "null");
  }

  #end(): void {
    this.ended = true;
    this.#changed();
  }

  #read(piece: string): void {
    this.#raw += piece;
    if (this.status === 0) {
      const end = this.#raw.indexOf("\r\n\r\n");
      if (end < 0) return;
      this.head = this.#raw.slice(0, end);
      this.status = Number(/^HTTP\/1\.1 (\d+)/.exec(this.head)?.[1]);
      this.#raw = this.#raw.slice(end + 4);
    }
    if (/text\/event-stream/i.test(this.head)) this.#frames();
    this.#changed();
  }

  /** The lengths of chunked coding stand on lines of their own, which no event of ours begins with. */
  #frames(): void {
    for (let end = this.#raw.indexOf("\n\n"); end >= 0; end = this.#raw.indexOf("\n\n")) {
      const frame = this.#raw.slice(0, end).replace(/(^|\r\n)[0-9a-f]+\r\n/g, "");
      this.#raw = this.#raw.slice(end + 2);
      if (frame.includes(": waiting")) this.comments++;
      const id = /^id: (.*)$/m.exec(frame)?.[1];
      const event = /^event: (\w+)$/m.exec(frame)?.[1];
      if (event) this.events.push({ event, data: JSON.parse(/^data: (.*)$/m.exec(frame)?.[1] ?? ""), id: id ?? "" });
      if (id) this.lastId = id;
    }
  }
}

export const ask = ({ waypost }: World, input: object, headers: Record<string, string> = {}): Reading =>
  new Reading(waypost.url, waypost.apiKey ?? "", "POST", "/v1/chat", headers, { ...input, stream: true });

export const takeUp = ({ waypost }: World, callId: string, lastId: string, key = waypost.apiKey ?? ""): Reading =>
  new Reading(waypost.url, key, "GET", `/v1/chat/${callId}/events`, lastId ? { "Last-Event-ID": lastId } : {});

/** One REST call. */
export async function call({ waypost }: World, method: string, path: string, body?: object, key = waypost.apiKey) {
  const response = await fetch(waypost.url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body ? { "content-type": "application/json" } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the server says
  return { status: response.status, body: (await response.json()) as any };
}

/** The line of a call in the usage report, once it is there. */
export async function billed(world: World, callId: string) {
  for (let i = 0; i < 1_200; i++) {
    const { body } = await call(world, "GET", "/v1/usage?recent=50");
    const found = body.recent.find(({ id }: { id: string }) => id === callId);
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${callId} was never settled`);
}

/** A key of another account. */
export async function stranger(world: World): Promise<string> {
  const made = await call(world, "POST", "/v1/admin/accounts", { name: "stranger", plan: "enterprise" });
  return (await call(world, "POST", "/v1/keys", { account: made.body.account, name: "stranger" })).body.api_key;
}
