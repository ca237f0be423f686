import { afterAll, beforeAll, expect, test } from "vitest";
import { ask, call, startWorld, stranger, type World, words } from "./stream_client.ts";

/** Devices that listen to a session over a WebSocket, as browsers open one. */

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.close());

interface Heard {
  type: string;
  call_id: string;
  at: number;
  text: string;
  message_id: string;
}

class Device {
  heard: Heard[] = [];
  closed: { code: number; reason: string } | undefined;
  readonly socket: WebSocket;
  readonly #acknowledges: boolean;

  constructor(session: string, key = world.waypost.apiKey ?? "", acknowledges = true) {
    this.#acknowledges = acknowledges;
    const url = `${world.waypost.url.replace("http", "ws")}/v1/sessions/${session}/live`;
    this.socket = new WebSocket(url, ["waypost.live", `bearer.${key}`]);
    this.socket.addEventListener("message", ({ data }) => {
      this.heard.push(JSON.parse(data));
      if (this.#acknowledges) this.socket.send(`{"seen":${String(data).length}}`);
    });
    this.socket.addEventListener("close", ({ code, reason }) => {
      this.closed = { code, reason };
    });
  }
  get text(): string {
    return this.heard.flatMap(({ type, text }) => (type === "delta" ? [text] : [])).join("");
  }
  async until(met: (device: Device) => boolean): Promise<this> {
    const deadline = Date.now() + 30_000;
    while (!met(this)) {
      if (Date.now() > deadline) throw new Error(`never: ${JSON.stringify([this.closed, this.heard.slice(-3)])}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this;
  }
}

const listening = ({ heard }: Device) => heard[0]?.type === "listening";
const stored = ({ heard }: Device) => heard.at(-1)?.type === "message";

test("two devices, and one that comes in the middle, read the same words", async () => {
  const session_id = "shared";
  const [one, two] = [new Device(session_id), new Device(session_id)];
  const elsewhere = new Device("another-session");
  await Promise.all([one.until(listening), two.until(listening), elsewhere.until(listening)]);
  expect(one.socket.protocol).toBe("waypost.live");
  const message = words(100);
  const reading = ask(world, { message, model: "paid/brisk-words", session_id });
  await one.until(({ text }) => text.includes("w30 "));
  const late = await new Device(session_id).until(listening);
  await Promise.all([one, two, late].map((device) => device.until(stored)));
  await reading.whole();
  for (const { text, heard } of [one, two, late]) {
    expect(text).toBe(`You said: ${message}`);
    expect(heard.at(-1)).toMatchObject({ call_id: reading.callId, message_id: reading.last?.data.id });
    let at = 0;
    for (const piece of heard.filter(({ type }) => type === "delta")) {
      expect(piece.at).toBe(at);
      at += piece.text.length;
    }
  }
  expect(elsewhere.heard).toHaveLength(1);

  // What is not streamed is told when it is stored.
  const plain = await call(world, "POST", "/v1/chat", { message: "and now", model: "paid/echo", session_id });
  await one.until(({ heard }) => heard.at(-1)?.message_id === plain.body.id);
  for (const device of [one, two, late, elsewhere]) device.socket.close();
  await one.until(({ closed }) => closed !== undefined);
});

test("a stranger hears nothing of a session of the same name, and one without the scope is not let in", async () => {
  const session_id = "mine";
  const other = await new Device(session_id, await stranger(world)).until(listening);
  await ask(world, { message: words(30), model: "paid/brisk-words", session_id }).whole();
  expect(other.heard).toHaveLength(1);
  other.socket.close();
  const made = await call(world, "POST", "/v1/keys", { name: "chat only", scopes: ["chat"] });
  for (const key of [made.body.api_key, "wp_nonsense"]) {
    await new Device(session_id, key).until(({ closed }) => closed !== undefined);
  }
});

test("a device that does not keep up is closed, and holds up nobody", async () => {
  const session_id = "lagging";
  const idle = await new Device(session_id, undefined, false).until(listening);
  const keen = await new Device(session_id).until(listening);
  const message = Array.from({ length: 1_000 }, (_, i) => "x".repeat(400) + i).join(" ");
  const reading = ask(world, { message, model: "paid/brisk-words", session_id, max_tokens: 2_000 });
  await idle.until(({ socket }) => socket.readyState >= WebSocket.CLOSING);
  expect(idle.text.length).toBeGreaterThan(200_000);
  const ended = await call(world, "DELETE", `/v1/chat/${reading.callId}`);
  expect(ended.body.cancelled).toBe(true);
  await keen.until(({ heard }) => heard.at(-1)?.type === "failed");
  await reading.whole();
  expect(keen.text).toBe(reading.text);
  keen.socket.close();
});
