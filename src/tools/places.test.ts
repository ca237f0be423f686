import { expect, it } from "vitest";
import { places } from "./places.ts";
import { tools } from "./registry.ts";

it("names every tool of the registry once, as it describes itself", async () => {
  expect(places.map(({ name }) => name)).toEqual(tools.map(({ name }) => name));
  for (const [i, { load, ...told }] of places.entries()) {
    const tool = await load();
    expect(tool).toBe(tools[i]);
    expect(told).toEqual({ name: tool.name, rest: tool.rest, ...(tool.dialect ? { dialect: tool.dialect } : {}) });
  }
});
