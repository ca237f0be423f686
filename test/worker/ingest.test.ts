import { abortAllDurableObjects, env, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { account, owner, rest } from "./client.ts";
import { configureModels, priceOf } from "./provider.ts";

configureModels();

const DAY = 24 * 60 * 60 * 1_000;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
const service = (plan = "pro") => account(plan, { scopes: ["usage:ingest", "usage", "chat"] });
const send = (key: string, events: unknown) => rest(key, "POST", "/v1/usage/events", { events });
const usageOf = async (key: string, month?: string) =>
  (await rest(key, "GET", `/v1/usage?recent=50${month ? `&month=${month}` : ""}`)).body;
const books = async (id: string) => (await rest(await owner(), "GET", `/v1/admin/accounts/${id}`)).body.books;

let made = 0;
const eventOf = (over: Record<string, unknown> = {}) => ({
  event_id: `event-${++made}`,
  at: ago(1_000),
  provider: "paid",
  model: "tokens-1000-500",
  usage: { input: 1_000, output: 500 },
  ...over,
});
const COST = priceOf({ input: 1_000, output: 500 });

/** A response that has no usage to tell. */
const endedAs = (status: string | undefined) => ({ type: "response.done", response: { status, usage: null } });

/** As OpenAI documents it: https://platform.openai.com/docs/api-reference/realtime-server-events/response/done */
const responseDone = {
  type: "response.done",
  event_id: "event_CCXHxcMy86rrKhBLDdqCh",
  response: {
    object: "realtime.response",
    id: "resp_CCXHw0UJld10EzIUXQCNh",
    status: "completed",
    usage: {
      total_tokens: 253,
      input_tokens: 132,
      output_tokens: 121,
      input_token_details: {
        text_tokens: 119,
        audio_tokens: 13,
        image_tokens: 0,
        cached_tokens: 64,
        cached_tokens_details: { text_tokens: 64, audio_tokens: 0, image_tokens: 0 },
      },
      output_token_details: { text_tokens: 30, audio_tokens: 91 },
    },
  },
};

describe("usage that happened elsewhere", () => {
  it("is priced, drawn on the plan's tokens, and reported like a call", async () => {
    const { account: id, key, keyId } = await service();
    const { status, body } = await send(key, [eventOf({ session_id: "s-1", metadata: { room: "7" } })]);
    expect([status, body.accepted, body.cost_nano]).toEqual([200, 1, COST]);
    expect(body.events).toMatchObject([{ status: "accepted", cost_nano: COST, funding: "included" }]);
    const report = await usageOf(key);
    expect(report.by_model["paid/tokens-1000-500"]).toMatchObject({
      calls: 1,
      input_tokens: 1_000,
      output_tokens: 500,
    });
    expect(report.by_key[keyId].cost_nano).toBe(COST);
    expect(report.by_tool.relay.cost_nano).toBe(COST);
    expect(report.tokens.used).toBe(1_500);
    expect(await books(id)).toMatchObject({
      consistent: true,
      settled_cost_nano: COST,
      balance_nano: 0,
      open_holds: 0,
    });
  });

  it("of OpenAI's Realtime API is read from the event as it came", async () => {
    const { key } = await service();
    const { body } = await send(key, [eventOf({ provider: "openai", model: "gpt-realtime", usage: responseDone })]);
    // USD per million: text 4 in, 0.40 cached, 16 out; audio 32 in, 64 out; markup 1.03.
    const pico = 55n * 4_000_000n + 64n * 400_000n + 13n * 32_000_000n + 30n * 16_000_000n + 91n * 64_000_000n;
    const nano = (pico * 103n + 99_999n) / 100_000n;
    expect(body.events[0]).toMatchObject({ status: "accepted", cost_nano: Number(nano) });
    expect((await usageOf(key)).total).toMatchObject({ input_tokens: 132, output_tokens: 121 });
  });

  it("of a response that was cut short may be none: it is recorded and costs nothing", async () => {
    const { account: id, key } = await service();
    const cut = ["cancelled", "failed", "incomplete"].map((status) => eventOf({ usage: endedAs(status) }));
    const { response } = endedAs("cancelled");
    const absent = eventOf({ usage: { type: "response.done", response: { status: response.status } } });
    expect((await send(key, [...cut, absent])).body).toMatchObject({ accepted: 4, refused: 0, cost_nano: 0 });
    expect((await send(key, cut)).body).toMatchObject({ accepted: 0, duplicates: 3 });
    expect((await usageOf(key)).by_tool.relay).toMatchObject({ calls: 4, errors: 0, input_tokens: 0, cost_nano: 0 });
    expect(await books(id)).toMatchObject({ consistent: true, settled_cost_nano: 0 });
  });

  it("names its model as every other call does, or as its provider does", async () => {
    const { key } = await service();
    const names = [
      { provider: undefined, model: "paid/tokens-1000-500" },
      { provider: "paid", model: "paid/tokens-1000-500" },
      { provider: "paid", model: "tokens-1000-500" },
      { provider: undefined, model: "gpt-realtime" },
      { provider: undefined, model: "openai/gpt-realtime" },
    ];
    expect((await send(key, names.map(eventOf))).body.accepted).toBe(5);
    const { by_model } = await usageOf(key);
    expect(by_model).toMatchObject({ "paid/tokens-1000-500": { calls: 3 }, "openai/gpt-realtime": { calls: 2 } });
  });

  it("is explained by the call it is booked as, with its id and metadata, when its record is long gone too", async () => {
    const { account: id, key } = await service();
    const event = eventOf({ session_id: "s-1", at: ago(3 * DAY), metadata: { room: "7", floor: "" } });
    const [first] = (await send(key, [event])).body.events;
    expect(first.call_id).toMatch(/^relay_/);
    const other = { ...event, usage: { input: 1, output: 1 } };
    const { body: again } = await send(key, [event, other, { ...event, event_id: undefined }]);
    const ids = again.events.map(({ call_id }: { call_id?: string }) => call_id);
    expect(ids).toEqual([first.call_id, first.call_id, undefined]);
    const read = async () => (await rest(key, "GET", `/v1/usage/calls/${first.call_id}`)).body;
    const call = await read();
    expect(call).toMatchObject({
      ...{ tool: "relay", status: "ok", session_id: "s-1", via: "rest", event_id: event.event_id, cost_nano: COST },
      metadata: { room: "7", floor: "" },
      at: new Date(event.at).toISOString(),
      items: [{ class: "input" }, { class: "output" }],
    });
    const stub = env.LEDGER.get(env.LEDGER.idFromName(id));
    await runInDurableObject(stub, (_, { storage }) => void storage.sql.exec("DELETE FROM call_batches"));
    await abortAllDurableObjects();
    await new Promise((resolve) => setTimeout(resolve, 1_001));
    expect(await read()).toEqual(call);
  });

  it("is booked once an event, sent ten times at once, within one batch, and again after", async () => {
    const { account: id, key } = await service();
    const events = Array.from({ length: 20 }, () => eventOf());
    const batches = await Promise.all(Array.from({ length: 10 }, () => send(key, [...events, ...events])));
    const again = await send(key, events);
    const accepted = batches.reduce((sum, { body }) => sum + body.accepted, 0);
    expect([accepted, again.body.accepted, again.body.duplicates]).toEqual([20, 0, 20]);
    expect(await books(id)).toMatchObject({ consistent: true, settled_cost_nano: 20 * COST });
    expect((await usageOf(key)).by_tool.relay).toMatchObject({ calls: 20, cost_nano: 20 * COST });
  });

  it("is not booked again under an id that stands for other usage, which is told and hinders nothing", async () => {
    const { account: id, key } = await service();
    const event = eventOf({ usage: { input: 1_000, output: 500, reasoning: 0 } });
    const other = { ...event, usage: { input: 1_000, output: 499, reasoning: 1 } };
    const first = await send(key, [event, other, eventOf()]);
    expect(first.body).toMatchObject({ accepted: 2, duplicates: 0, conflicts: 1, refused: 0, cost_nano: 2 * COST });
    const again = await send(key, [
      other,
      { ...event, usage: { input: 1_000, output: 500 }, at: ago(60_000) },
      { ...event, model: "tokens-7-3" },
      eventOf(),
    ]);
    expect(again.body).toMatchObject({ accepted: 1, duplicates: 1, conflicts: 2, cost_nano: COST });
    expect(again.body.events[0]).toMatchObject({
      event_id: event.event_id,
      status: "conflict",
      reason: "other_usage",
      detail: expect.stringContaining("1000 tokens in and 500 out of paid/tokens-1000-500"),
    });
    expect(again.body.events[0]).not.toHaveProperty("cost_nano");
    expect(await books(id)).toMatchObject({ consistent: true, settled_cost_nano: 3 * COST });
  });

  it("of another account with the same ids is its own", async () => {
    const [one, two] = [await service(), await service()];
    const event = eventOf();
    expect((await send(one.key, [event])).body.accepted).toBe(1);
    expect((await send(two.key, [event])).body.accepted).toBe(1);
  });

  it("is taken up to 35 days late, on the day it happened, and up to 5 minutes early", async () => {
    const { account: id, key } = await service();
    const late = ago(34.9 * DAY);
    const at = [late, ago(35.1 * DAY), ago(-4 * 60_000), ago(-6 * 60_000)];
    const { body } = await send(
      key,
      at.map((each) => eventOf({ at: each })),
    );
    expect(body.events.map(({ status, reason }: Record<string, string>) => reason ?? status)).toEqual([
      "accepted",
      "late",
      "accepted",
      "early",
    ]);
    const month = await usageOf(key, late.slice(0, 7));
    expect(month.by_day[late.slice(0, 10)]).toMatchObject({ cost_nano: COST });
    expect(await books(id)).toMatchObject({ consistent: true, settled_cost_nano: 2 * COST });
  });

  it("that is refused does not hinder the rest, and each refusal says why", async () => {
    const { key } = await service();
    const wrong: [unknown, string, RegExp][] = [
      [eventOf({ event_id: "" }), "invalid", /event_id/],
      [eventOf({ at: "yesterday" }), "invalid", /^at/],
      [eventOf({ usage: { input: -1, output: 0 } }), "invalid", /^usage\.input: /],
      [eventOf({ usage: { input: 1, output: "2" } }), "invalid", /^usage\.output: .*number/],
      [eventOf({ usage: { input: 1 } }), "invalid", /^usage\.output: /],
      [eventOf({ usage: { input: 1, output: 1, thinking: 2 } }), "invalid", /^usage: .*"thinking"/],
      [eventOf({ usage: null }), "invalid", /^usage: /],
      [eventOf({ usage: { type: "response.created" } }), "invalid", /^usage\.type: .*response\.done/],
      [eventOf({ usage: { type: "response.done" } }), "invalid", /^usage\.response: /],
      [eventOf({ usage: { type: "response.done", response: { usage: 5 } } }), "invalid", /^usage\.response\.usage: /],
      [eventOf({ usage: endedAs("completed") }), "invalid", /^usage\.response\.usage: missing.* completed/],
      [eventOf({ usage: endedAs(undefined) }), "invalid", /^usage\.response\.usage: missing/],
      [eventOf({ usage: { input: 1.5, output: 0 } }), "invalid", /^usage\.input: /],
      [eventOf({ usage: { type: "response.done", response: { usage: { input_tokens: 5 } } } }), "invalid", /usage/],
      [eventOf({ surprise: 1 }), "invalid", /surprise/],
      [eventOf({ model: "nobody-knows" }), "model_unpriced", /paid\/nobody-knows/],
      [eventOf({ provider: "gone", model: "paid/tokens-7-3" }), "model_unpriced", / gone\/paid\/tokens-7-3/],
      [eventOf({ provider: undefined, model: "lab/m1" }), "model_unpriced", / lab\/m1\.$/],
      [{}, "invalid", /event_id/],
      [null, "invalid", /^event: .*received null/],
      ["an event", "invalid", /^event: .*received string/],
    ];
    const { status, body } = await send(key, [eventOf(), ...wrong.map(([event]) => event), eventOf()]);
    expect([status, body.accepted, body.refused]).toEqual([200, 2, wrong.length]);
    for (const [i, [, reason, detail]] of wrong.entries()) {
      expect(body.events[i + 1]).toMatchObject({ status: "refused", reason, detail: expect.stringMatching(detail) });
    }
  });

  it("is paid from credit when the plan's tokens are used up, below zero if need be; then calls are refused", async () => {
    const { account: id, key } = await service("free");
    const admin = await owner();
    const big = eventOf({ model: "tokens-999000-1000", usage: { input: 999_000, output: 1_000 } });
    expect((await send(key, [big])).body.events[0].funding).toBe("included");
    await rest(admin, "POST", `/v1/admin/accounts/${id}/credit`, { id: "c", nano_usd: COST + 1 });
    const { body } = await send(key, [eventOf(), eventOf()]);
    expect(body.events.map(({ funding }: { funding: string }) => funding)).toEqual(["credit", "credit"]);
    const { body: balance } = await rest(key, "GET", "/v1/balance");
    expect(balance).toMatchObject({ balance_nano: 1 - COST, available_nano: 1 - COST, tokens: { remaining: 0 } });
    const chat = await rest(key, "POST", "/v1/chat", { message: "Go on.", model: "paid/tokens-1-1" });
    expect([chat.status, chat.body.code]).toEqual([402, "payment_required"]);
    expect(await books(id)).toMatchObject({ consistent: true, balance_nano: 1 - COST });
  });

  it("of a thousand events in one batch is booked in one go; more are refused whole", async () => {
    const { account: id, key } = await service();
    const events = Array.from({ length: 1_000 }, () => eventOf());
    expect((await send(key, events)).body).toMatchObject({ accepted: 1_000, cost_nano: 1_000 * COST });
    expect((await send(key, events)).body).toMatchObject({ accepted: 0, duplicates: 1_000, cost_nano: 0 });
    expect(await books(id)).toMatchObject({ consistent: true, settled_cost_nano: 1_000 * COST });
    expect((await send(key, [...events, eventOf()])).body.code).toBe("invalid_input");
    expect((await send(key, [])).body.code).toBe("invalid_input");
  });

  it("needs the scope usage:ingest, which a key does not have by itself", async () => {
    const { key } = await account("pro");
    const { status, body } = await send(key, [eventOf()]);
    expect([status, body.required_scope]).toEqual([403, "usage:ingest"]);
  });
});
