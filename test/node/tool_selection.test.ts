import { describe, expect, it } from "vitest";
import { requests } from "../../bench/tool_selection/requests.ts";
import { confusionTable, scoreOffline } from "../../bench/tool_selection/score.ts";
import { agentTools } from "../../src/tools/registry.ts";

/** A little under what was reached when it was set: a description that loses its words is noticed. */
const FLOOR = { first: 0.72, amongTwo: 0.9 };

describe("the requests", () => {
  const names = new Set(agentTools.map(({ name }) => name));

  it("are sixty and more, for every tool and for none, in several languages", () => {
    expect(requests.length).toBeGreaterThanOrEqual(60);
    expect(new Set(requests.map(({ says }) => says)).size).toBe(requests.length);
    expect(new Set(requests.map(({ language = "en" }) => language)).size).toBeGreaterThanOrEqual(8);
    for (const name of [...names, null]) {
      expect(requests.filter(({ tool }) => tool === name).length, String(name)).toBeGreaterThanOrEqual(5);
    }
  });

  it("expect tools there are, and arguments they take", () => {
    for (const { says, tool, or = [], args = {} } of requests) {
      for (const name of [tool, ...or]) expect(name === null || names.has(name), says).toBe(true);
      const shape =
        (agentTools.find(({ name }) => name === tool)?.input as { shape?: object } | undefined)?.shape ?? {};
      for (const field of Object.keys(args)) expect(Object.hasOwn(shape, field), `${says}: ${field}`).toBe(true);
    }
  });
});

it("the descriptions tell the tools apart, by words alone", () => {
  const { requests: asked, first, amongTwo, confused } = scoreOffline();
  console.info(
    `${first} of ${asked} requests find their tool first, ${amongTwo} among two.\n${confusionTable(confused)}`,
  );
  for (const { expected, found, says } of confused) console.info(`${expected} < ${found}: ${says}`);
  expect(first / asked).toBeGreaterThanOrEqual(FLOOR.first);
  expect(amongTwo / asked).toBeGreaterThanOrEqual(FLOOR.amongTwo);
});
