import { describe, expect, it } from "vitest";
import { agentTools, toolNamed } from "../../src/tools/registry.ts";
import { callThrough, DOORS, entryOf, normalised, type Told } from "./both_doors.ts";
import { account, rest } from "./client.ts";
import { type Row, rows } from "./parity_rows.ts";
import { configureModels } from "./provider.ts";

configureModels();

/** A result an agent can bear: 6,000 tokens at four characters each. */
const RESULT_CHARS = 24_000;

it.each(agentTools.map(({ name }) => name))("%s has a row that succeeds and one that fails", (name) => {
  const own = rows.filter(({ tool }) => tool === name);
  expect(own.some(({ fails }) => !fails)).toBe(true);
  expect(own.some(({ fails }) => fails)).toBe(true);
});

/** The row on a fresh account through one door, and what the account's books say afterwards. */
async function play(row: Row, door: (typeof DOORS)[number]) {
  const { key } = await account();
  await row.seed?.(key);
  const before = await books(key);
  const told = await callThrough(door, key, row.tool, row.input);
  const after = await books(key);
  return { told, after, spent: after.total.cost_nano - before.total.cost_nano };
}

async function books(key: string) {
  const { total, by_model, by_tool, by_key, balance, tokens } = (await rest(key, "GET", "/v1/usage")).body;
  return { total, by_model, by_tool, by_key, balance, tokens };
}

/** What must be the same through every door. */
function comparable({ data, problem, code, cost }: Told) {
  return normalised({ data, code, cost, problem });
}

describe.each(rows.map((row) => ({ row, name: `${row.tool}: ${row.what}` })))("$name", ({ row }) => {
  it("comes to the same through REST and both MCP clients", async () => {
    const [viaRest, ...viaMcp] = await Promise.all(DOORS.map((door) => play(row, door)));
    if (!viaRest) throw new Error("unreachable");
    expect(viaRest.told.code).toBe(row.fails ?? "ok");
    if (row.costs !== undefined) expect(viaRest.told.cost).toBe(row.costs);
    if (!row.fails) {
      expect(viaRest.told.cost).toBe(viaRest.spent);
      // Nothing is missing and nothing is there that the schema does not tell.
      expect(toolNamed(row.tool)?.output.parse(viaRest.told.data)).toEqual(viaRest.told.data);
    }
    for (const { told, after, spent } of viaMcp) {
      expect(comparable(told)).toEqual(comparable(viaRest.told));
      expect(normalised(after)).toEqual(normalised(viaRest.after));
      expect(spent).toBe(viaRest.spent);
      expect(told.text?.trim()).not.toBe("");
      expect(told.text?.length).toBeLessThan(RESULT_CHARS);
      for (const id of row.mentions ?? []) expect(told.text).toContain(id);
      if (told.problem) {
        expect(told.text).toContain(told.problem.code);
        expect(told.text).toContain(entryOf(told.problem).next);
      }
    }
  });
});
