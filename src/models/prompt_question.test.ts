import { expect, test } from "vitest";
import { questionOf } from "./prompt_question.ts";

const talk = (...turns: string[]) =>
  turns.map((content, i) => ({ role: i % 2 === 0 ? ("user" as const) : ("assistant" as const), content }));

test.each([
  [talk("How long is the warranty?"), "How long is the warranty?"],
  [
    talk("How do I turn on the heater?", "Press it.", "And how do I turn it off?"),
    "And how do I turn it off?\nHow do I turn on the heater?",
  ],
  [talk("Where is the heater?", "There.", "Why?"), "Why?\nWhere is the heater?"],
  [
    talk("Where is the heater?", "There.", "What does it weigh?", "5 kg.", "and in pounds?"),
    "and in pounds?\nWhat does it weigh?\nWhere is the heater?",
  ],
  [
    talk("Where is the heater?", "There.", "Which cities does the northern railway serve?"),
    "Which cities does the northern railway serve?",
  ],
  [
    talk(
      "Where is the heater?",
      "There.",
      "Does this affect how the northern railway schedules its trains on Sundays?",
    ),
    "Does this affect how the northern railway schedules its trains on Sundays?",
  ],
  [talk("暖房はどこですか", "あそこ", "なぜ?"), "なぜ?\n暖房はどこですか"],
  [
    [
      { role: "system" as const, content: "It." },
      { role: "user" as const, content: "  " },
      { role: "user" as const, content: "why" },
    ],
    "why",
  ],
  [[], ""],
])("%#", (messages, question) => {
  expect(questionOf(messages)).toBe(question);
});

test("the last message comes first and whole, the earlier ones are cut", () => {
  const asked = questionOf(talk("heater ".repeat(500), "ok", "and it?"));
  expect(asked.startsWith("and it?\nheater")).toBe(true);
  expect(asked.length).toBeLessThan(420);
});

test("at most three earlier turns are taken", () => {
  expect(
    questionOf(talk("one two three four", "a", "and it?", "a", "and it?", "a", "and it?", "a", "why?")).split("\n"),
  ).toHaveLength(4);
});
