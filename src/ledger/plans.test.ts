import { expect, it } from "vitest";
import { parsePlans } from "./plans.ts";

const TEAM = { minute: 120, hour: 5_000, day: 50_000, monthlyTokens: 20_000_000 };
const team = (over: object) => parsePlans(JSON.stringify({ team: { ...TEAM, ...over } })).get("team");

it("the plans there are by default, and what they cost a month", () => {
  const plans = [...parsePlans(undefined).values()];
  expect(plans.map(({ id, monthlyTokens, nanoUsdMonth }) => [id, monthlyTokens, nanoUsdMonth])).toEqual([
    ["free", 1_000_000, 0],
    ["basic", 10_000_000, 9_990_000_000],
    ["pro", 50_000_000, 29_990_000_000],
    ["enterprise", null, null],
  ]);
});

it("a plan of the setting has a price and limits of single tools if it says so", () => {
  expect(team({})).toEqual({
    id: "team",
    rate: { minute: 120, hour: 5_000, day: 50_000 },
    monthlyTokens: 20_000_000,
    nanoUsdMonth: null,
  });
  const prices = ["0", "7", "7.5", "123456.78"].map((usd_month) => team({ usd_month })?.nanoUsdMonth);
  expect(prices).toEqual([0, 7_000_000_000, 7_500_000_000, 123_456_780_000_000]);
  expect(team({ tools: { chat: { minute: 5 } } })?.tools).toEqual({ chat: { minute: 5 } });
});

it.each([
  { usd_month: 9.99 },
  { usd_month: "9.999" },
  { tools: { Chat: { minute: 1 } } },
  { tools: { chat: { second: 1 } } },
  { tools: { chat: { minute: 0 } } },
])("a setting with %o is none", (over) => {
  expect(() => team(over)).toThrow("PLANS");
});
