import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { costNano } from "../../src/ledger/money.ts";
import { randomFrom } from "../random.ts";
import type { ServedRequest } from "../upstream/server.ts";
import { ask, billed, call, PRICE, served, startWorld, stranger, takeUp, type World, words } from "./stream_client.ts";

/** Streams of the chat route over real sockets, cut anywhere. */

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.close());

const seed = Number(process.env.SEED ?? 1);
const priced = (line: { cost_nano: number }) => line.cost_nano;
const reported = (entry: ServedRequest | undefined) => {
  expect(entry?.usage).toBeTruthy();
  const { prompt_tokens: input = 0, completion_tokens: output = 0 } = entry?.usage ?? {};
  return costNano({ input, output }, PRICE, 10_300);
};

describe("a stream that is cut", () => {
  test.each([1, 2, 3, 4])("at random places gives the same text when it is taken up again (%d)", async (n) => {
    const random = randomFrom(seed * 1_000 + n);
    const message = words(250);
    const asked = world.upstream.log.length;
    let reading = ask(world, { message, model: "paid/brisk-words" });
    await reading.until(({ lastId }) => lastId !== "");
    const { callId } = reading;
    let text = "";
    let lastId = "";
    for (let cuts = 0; ; cuts++) {
      const most = Math.floor(random() * 40);
      const part = reading;
      await part.until(({ events, ended }) => ended || events.length >= most || events.at(-1)?.event === "done");
      part.cut();
      text += part.text;
      if (part.lastId) lastId = part.lastId;
      if (part.last?.event === "done") {
        expect(part.last.data.text).toBe(`You said: ${message}`);
        expect(cuts).toBeGreaterThan(3);
        break;
      }
      reading = takeUp(world, callId, lastId);
      await reading.until(({ status }) => status !== 0);
      expect(reading.status, lastId).toBe(200);
    }
    expect(text).toBe(`You said: ${message}`);
    expect(world.upstream.log.length).toBe(asked + 1);
    expect(served(world).completed).toBe(true);
    expect(priced(await billed(world, callId))).toBe(reported(served(world)));
  });

  test("is read by two at once, and again when it has ended", async () => {
    const message = words(100);
    const first = await ask(world, { message, model: "paid/brisk-words" }).until(({ events }) => events.length > 5);
    const second = takeUp(world, first.callId, "");
    await Promise.all([first.whole(), second.whole()]);
    const third = await takeUp(world, first.callId, "").whole();
    for (const { text, last } of [first, second, third]) {
      expect([text, last?.event, last?.data.text]).toEqual([`You said: ${message}`, "done", `You said: ${message}`]);
    }
    expect(third.events.length).toBeLessThan(5);
  });

  test("is nobody else's", async () => {
    const key = await stranger(world);
    const mine = await ask(world, { message: words(60), model: "paid/brisk-words" }).until(
      ({ lastId }) => lastId !== "",
    );
    const path = `/v1/chat/${mine.callId}`;
    for (const id of ["", mine.lastId])
      expect((await takeUp(world, mine.callId, id, key).whole()).json.code).toBe("answer_gone");
    expect(await call(world, "DELETE", path, undefined, key)).toMatchObject({
      status: 410,
      body: { code: "answer_gone" },
    });
    expect((await mine.whole()).last?.event).toBe("done");
    expect((await takeUp(world, mine.callId, "", key).whole()).status).toBe(410);
    expect((await takeUp(world, "call_never", "").whole()).status).toBe(410);
    expect((await takeUp(world, mine.callId, "call_other:3").whole()).status).toBe(400);
  });

  test("goes on by a repeated POST with its key, while it runs and from what was kept", async () => {
    const input = { message: words(100), model: "paid/brisk-words" };
    const asked = world.upstream.log.length;
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const first = await ask(world, input, headers).until(({ events }) => events.length > 5);
    first.cut();
    const again = await ask(world, input, { ...headers, "Last-Event-ID": first.lastId }).whole();
    expect(first.text + again.text).toBe(`You said: ${input.message}`);

    const other = { "Idempotency-Key": crypto.randomUUID() };
    const plain = await fetch(`${world.waypost.url}/v1/chat`, {
      method: "POST",
      headers: { authorization: `Bearer ${world.waypost.apiKey}`, "content-type": "application/json", ...other },
      body: JSON.stringify(input),
    });
    const { cost } = (await plain.json()) as { cost: { call_id: string } };
    const rest = await ask(world, input, { ...other, "Last-Event-ID": `${cost.call_id}:20` }).whole();
    expect([rest.text, rest.last?.event]).toEqual([`You said: ${input.message}`.slice(20), "done"]);
    expect(rest.header("idempotency-replayed")).toBe("true");
    const foreign = await ask(world, input, { ...other, "Last-Event-ID": `${first.callId}:20` }).whole();
    expect([foreign.text, foreign.last?.event]).toEqual([`You said: ${input.message}`, "done"]);
    const changed = { ...input, message: "something else" };
    expect((await ask(world, changed, { ...other, "Last-Event-ID": `${cost.call_id}:20` }).whole()).status).toBe(409);
    const all = await ask(world, input, other).whole();
    expect([all.text, all.last?.event]).toEqual([`You said: ${input.message}`, "done"]);
    expect(world.upstream.log.length).toBe(asked + 2);
  });
});

/** Their provider takes many seconds, so both are asked at once. */
describe.concurrent("a long answer", () => {
  test("is found in the session by a client that left it", async () => {
    const message = words(1_500);
    const input = { message, model: "paid/brisk-words", session_id: "left-alone" };
    const first = await ask(world, input).until(({ events }) => events.length > 3);
    first.cut();
    const line = await billed(world, first.callId);
    expect(line).toMatchObject({ status: "ok", estimated: false });
    expect(line.cost_nano).toBe(
      reported(world.upstream.log.find(({ body }) => body?.messages.at(-1)?.content === message)),
    );
    const { body } = await call(world, "POST", "/v1/sync", { session_id: "left-alone", limit: 10 });
    expect(JSON.stringify(body)).toContain(`You said: ${message}`);
  });

  test("is given in larger parts to a reader that does not read, who loses nothing", async () => {
    const message = words(2_000);
    const slow = ask(world, { message, model: "paid/brisk-words" });
    await slow.until(({ events }) => events.length > 0);
    slow.pause();
    await billed(world, slow.callId);
    slow.resume();
    expect((await slow.whole()).text).toBe(`You said: ${message}`);
    const late = await takeUp(world, slow.callId, "").whole();
    expect(late.text).toBe(slow.text);
    expect(late.events.length).toBeLessThan(5);
  });
});

test("a cancelled call ends at once and is billed for what the provider had sent", async () => {
  const reading = await ask(world, { message: words(1_000), model: "paid/brisk-words" }).until(({ text }) =>
    text.includes("w30 "),
  );
  const ended = await call(world, "DELETE", `/v1/chat/${reading.callId}`);
  expect(ended).toMatchObject({ status: 200, body: { call_id: reading.callId, cancelled: true } });
  expect((await reading.whole()).last).toMatchObject({ event: "error", data: { code: "client_closed" } });
  const line = await billed(world, reading.callId);
  expect(line).toMatchObject({ status: "client_closed", estimated: true, cost_nano: ended.body.cost.nano_usd });
  expect(line.cost_nano).toBeGreaterThan(0);
  const { completed, pieces } = served(world);
  expect([completed, pieces < 200]).toEqual([false, true]);
  expect(await call(world, "DELETE", `/v1/chat/${reading.callId}`)).toMatchObject({ body: { cancelled: false } });
});

test("the first bytes say how to come back", async () => {
  const reading = await ask(world, { message: "one two", model: "paid/slow-words" }).whole();
  expect(reading.events[0]?.id).toMatch(/^call_[0-9a-z]+:\d+$/);
  expect(reading.events.map(({ id }) => Number(id.split(":")[1]))).toEqual([4, 10, 14, 17, 17]);
  expect(reading.header("cache-control")).toBe("no-store");
});
