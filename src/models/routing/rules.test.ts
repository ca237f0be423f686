import { describe, expect, it } from "vitest";
import { randomFrom } from "../../../test/random.ts";
import { labelledLast } from "../../../test/routing/last_prompts.ts";
import { labelledLater } from "../../../test/routing/later_prompts.ts";
import { type Labelled, labelled } from "../../../test/routing/prompts.ts";
import { classify } from "./rules.ts";
import { TIERS, type Tier } from "./tiers.ts";

/**
 * Of the later prompts, which half is held out is drawn from this seed, once. Nobody looked at what the rules make of them:
 * that half prints its sums only. The other half and all earlier prompts were open to whoever wrote the rules.
 */
const dice = randomFrom(20_261_121);
const open: Labelled[] = [];
const heldOut: Labelled[] = [];
for (const prompt of labelledLater) (dice() < 0.5 ? open : heldOut).push(prompt);

const tierOf = ({ text, grounded }: Labelled): Tier =>
  classify({ messages: [{ role: "user", content: text }], grounded: grounded ?? false }).tier;

function judged(prompts: readonly Labelled[]) {
  const table = Object.fromEntries(TIERS.map((is) => [is, Object.fromEntries(TIERS.map((got) => [got, 0]))])) as Record<
    Tier,
    Record<Tier, number>
  >;
  let right = 0;
  const wrong: string[] = [];
  for (const prompt of prompts) {
    const got = tierOf(prompt);
    table[prompt.tier][got]++;
    if (got === prompt.tier) right++;
    else wrong.push(`${prompt.tier} taken for ${got}: ${prompt.text.slice(0, 90)}`);
  }
  return { accuracy: right / prompts.length, table, wrong };
}

function print(name: string, prompts: readonly Labelled[]) {
  const { accuracy, table, wrong } = judged(prompts);
  const rows = TIERS.map((is) => `${is.padEnd(8)} ${TIERS.map((got) => String(table[is][got]).padStart(8)).join("")}`);
  const head = `${"is \\ got".padEnd(8)} ${TIERS.map((got) => got.padStart(8)).join("")}`;
  console.info(`${name}: ${(accuracy * 100).toFixed(1)} % of ${prompts.length}\n${[head, ...rows].join("\n")}`);
  return { accuracy, wrong };
}

describe("the rules of auto, on labelled prompts", () => {
  it("there are enough of them, of every tier in every part, none twice", () => {
    const all = [...labelled, ...labelledLater, ...labelledLast];
    expect(all.length).toBeGreaterThanOrEqual(200);
    expect(new Set(all.map(({ text }) => text)).size).toBe(all.length);
    for (const part of [labelled, labelledLast, heldOut]) {
      for (const tier of TIERS) expect(part.filter((prompt) => prompt.tier === tier).length).toBeGreaterThanOrEqual(5);
    }
  });

  it("those that were there when the rules were written", () => {
    expect(print("known", labelled).accuracy).toBeGreaterThanOrEqual(0.95);
  });

  it("later ones that the rules were corrected by", () => {
    const { accuracy, wrong } = print("later, open", open);
    if (wrong.length > 0) console.info(wrong.join("\n"));
    expect(accuracy).toBeGreaterThanOrEqual(0.9);
  });

  it("later ones that were held out", () => {
    expect(print("later, held out", heldOut).accuracy).toBeGreaterThanOrEqual(0.8);
  });

  it("those that were written after the rules were final", () => {
    expect(print("last", labelledLast).accuracy).toBeGreaterThanOrEqual(0.55);
  });
});
