import { describe, expect, it } from "vitest";
import { message } from "../../test/worker/vault.ts";
import { shortenTitle, titleFromMessages } from "./titles.ts";

describe("session titles", () => {
  it("keep a short text as it is, on one line", () => {
    expect(shortenTitle("  Plan the\n\n trip  ")).toBe("Plan the trip");
    expect(shortenTitle("x".repeat(60))).toBe("x".repeat(60));
  });

  it("cut a long text between words and never above 60 characters", () => {
    const title = shortenTitle("Please compare the three proposals for the new warehouse, and say which is cheapest");
    expect(title).toBe("Please compare the three proposals for the new warehouse…");
    expect(shortenTitle(`${"word ".repeat(11)}abcde and more`)).toBe(`${"word ".repeat(11)}abcde…`);
  });

  it("cut inside a word that has no break, and inside no character", () => {
    expect(Array.from(shortenTitle("😀".repeat(80)))).toHaveLength(60);
    expect(shortenTitle("😀".repeat(80)).isWellFormed()).toBe(true);
    expect(shortenTitle(`a ${"y".repeat(90)}`)).toHaveLength(60);
  });

  it("come from the first user message that says something", () => {
    const messages = [
      message("1", { role: "system", content: "You are terse." }),
      message("2", { content: "  \n " }),
      message("3", { content: "What is a monad?" }),
      message("4", { content: "And a functor?" }),
    ];
    expect(titleFromMessages(messages)).toBe("What is a monad?");
    expect(titleFromMessages(messages.slice(0, 2))).toBe("");
  });
});
