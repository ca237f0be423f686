import { describe, expect, it } from "vitest";
import { errorCatalogue } from "../errors.ts";
import { validate } from "../gate/validate.ts";
import { nextAfter, nextLines, nextOf } from "./next_calls.ts";
import { agentTools } from "./registry.ts";

const call = (n: number) => ({ tool: "search", arguments: { query: `${n}` }, why: "to look" });

describe("calls that may follow", () => {
  it("are three at most, and absent when there are none", () => {
    expect(nextOf([call(1), null, call(2), false, undefined, call(3), call(4)]).next).toEqual([1, 2, 3].map(call));
    expect(nextOf([null, false])).toEqual({});
  });

  it("are told in words with all their arguments", () => {
    expect(nextLines([call(1)])).toEqual(['Next, to look: search {"query":"1"}']);
    expect(nextLines()).toEqual([]);
  });

  it("after a refusal are calls of tools there are, with arguments these take as they stand", () => {
    let suggested = 0;
    for (const code of Object.keys(errorCatalogue) as (keyof typeof errorCatalogue)[]) {
      for (const { name } of agentTools) {
        for (const input of [{ cursor: 5 }, null, 5, { session_id: "s", cursor: 5 }, { session_id: 5 }]) {
          for (const next of nextAfter(code, name, input)) {
            suggested++;
            const tool = agentTools.find((each) => each.name === next.tool);
            if (!tool) throw new Error(`${next.tool} is no tool`);
            expect(() => validate(tool.input, next.arguments), JSON.stringify(next)).not.toThrow();
            expect(next.tool === name && JSON.stringify(next.arguments) === JSON.stringify(input)).toBe(false);
          }
        }
      }
    }
    expect(suggested).toBeGreaterThan(20);
  });
});
