import { describe, expect, it } from "vitest";
import { toolsFor } from "./chosen.ts";
import { agentTools } from "./registry.ts";

const at = (query: string) => toolsFor(`https://waypost.test/mcp${query}`).map(({ name }) => name);

describe("the tools of a URL", () => {
  it("are all of them unless it names some", () => {
    expect(toolsFor("https://waypost.test/mcp")).toBe(agentTools);
    expect(toolsFor("https://waypost.test/mcp?x=1")).toBe(agentTools);
  });

  it("are those it names, once each, in the order of the list", () => {
    expect(at("?tools=fetch,search")).toEqual(["search", "fetch"]);
    expect(at("?tools=usage,%20usage")).toEqual(["usage"]);
  });

  it.each(["?tools=", "?tools=serch", "?tools=search,", "?tools=create_key", "?tools=__proto__"])(
    "%s is refused",
    (query) => {
      expect(() => at(query)).toThrow(
        expect.objectContaining({ code: "invalid_input", detail: expect.stringContaining("search") }),
      );
    },
  );
});
