import { expect, it } from "vitest";
import { newId } from "./ids.ts";

it("ids are unique, and in the order in which they were made", () => {
  const ids = Array.from({ length: 10_000 }, () => newId("call"));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toEqual(ids);
  expect(ids[0]).toMatch(/^call_[0-9a-z]{30}$/);
  expect(Number.parseInt((ids[0] as string).slice(5, 13), 36)).toBeGreaterThan(Date.now() - 60_000);
  expect(newId("req")).toMatch(/^req_/);
});
