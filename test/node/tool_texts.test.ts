import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { tokensOfTools, told } from "../../bench/tool_selection/told.ts";
import { agentTools } from "../../src/tools/registry.ts";
import { schemasOf } from "../../src/tools/schema.ts";

/** What listing all tools may cost an agent, by a real tokenizer. */
const LIST_TOKENS = 3_000;

describe("what an agent is told of the tools", () => {
  it(`is at most ${LIST_TOKENS} tokens`, () => {
    const { table, total } = tokensOfTools();
    console.info(table);
    expect(total).toBe(countTokens(JSON.stringify({ tools: agentTools.map(told) })));
    expect(total).toBeLessThanOrEqual(LIST_TOKENS);
  });

  it.each(agentTools.map((tool) => ({ tool, name: tool.name })))(
    "$name says what it is for, when not, and what comes back",
    ({ tool }) => {
      const { description, title, name } = tool;
      expect(name).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect(title).toMatch(/^[A-Z]/);
      expect(countTokens(description)).toBeLessThanOrEqual(90);
      expect(description).toMatch(/\bnot\b/i);
      const others = agentTools.map((each) => each.name).filter((other) => other !== name);
      expect(others.some((other) => new RegExp(`\\b${other}\\b`).test(description))).toBe(true);
      // A description names only tools there are.
      const named = description.match(/\b[a-z]+_(?:documents?|sessions?)\b/g) ?? [];
      for (const each of named) expect([...others, name]).toContain(each);
    },
  );

  it.each(agentTools.map((tool) => ({ tool, name: tool.name })))(
    "$name has the schemas that are on file",
    async ({ tool, name }) => {
      const { input, output } = schemasOf(tool);
      const text = `${JSON.stringify({ told: told(tool), input, output }, null, 2)}\n`;
      await expect(text).toMatchFileSnapshot(`../snapshots/${name}.json.snap`);
    },
  );
});
