import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { findProvider, type MatchLogic, type ModelInfo, type ModelPrice } from "@pydantic/genai-prices";
import manifest from "../package.json" with { type: "json" };
import { type PriceBook, type PriceEntry, picoPerToken } from "../src/models/prices.ts";

/**
 * Reduces the pinned price package to src/models/prices.json: chat models of OpenAI and Anthropic, integer prices.
 * Anything in the package that this reduction cannot express stops it, so that an upgrade never changes a price unseen.
 *
 *   node scripts/prices.ts [--as-of YYYY-MM-DD]
 */

const PACKAGE = "@pydantic/genai-prices";
const PROVIDERS = ["openai", "anthropic"];

/** Not chat completions, or billed by something else than tokens. */
const NOT_CHAT =
  /embedding|audio|realtime|transcribe|tts|image|whisper|moderation|davinci|ada|babbage|curie|instruct|computer-use|deep-research|search-preview|codex|-pro\b|:extended|vision|gpt-oss|^claude-(2|v1|v2)/;

/** The price book as the package gives it on a day. */
export function buildPriceBook(asOf: string): PriceBook {
  const providers: PriceBook["providers"] = {};
  for (const id of PROVIDERS) {
    const provider = findProvider({ providerId: id });
    if (!provider) throw new Error(`the package does not know provider ${id}`);
    providers[id] = provider.models
      .filter((model) => !NOT_CHAT.test(model.id))
      .map((model) => reduce(model, asOf))
      .filter((entry) => entry !== undefined);
  }
  return { source: `${PACKAGE} ${manifest.devDependencies[PACKAGE]}`, as_of: asOf, providers };
}

function reduce(model: ModelInfo, asOf: string): PriceEntry | undefined {
  const rules = { names: [] as string[], prefixes: [] as string[], dated: [] as string[] };
  collect(model.match, rules);
  const names = rules.names.filter((name) => !NOT_CHAT.test(name));
  const prefixes = rules.prefixes.filter((prefix) => !NOT_CHAT.test(prefix));
  const current = priceOn(model, asOf);
  const input = rate(current, "input_mtok");
  const output = rate(current, "output_mtok");
  if (!input || !output) return undefined;
  const cacheRead = rate(current, "cache_read_mtok");
  const cacheWrite = rate(current, "cache_write_mtok");
  const context = model.context_window ?? Number.POSITIVE_INFINITY;
  const limits = [input, output, cacheRead, cacheWrite].flatMap((one) => one?.limit ?? []);
  return {
    id: model.id,
    names,
    ...(prefixes.length > 0 ? { prefixes } : {}),
    ...(rules.dated.length > 0 ? { dated: rules.dated } : {}),
    ...(model.context_window ? { contextTokens: model.context_window } : {}),
    ...(limits.some((limit) => limit < context) ? { inputLimit: Math.min(...limits) } : {}),
    price: {
      input: input.pico,
      output: output.pico,
      ...(cacheRead ? { cacheRead: cacheRead.pico } : {}),
      ...(cacheWrite ? { cacheWrite: cacheWrite.pico } : {}),
    },
  };
}

const DATED = /^\^([a-z0-9\\.-]+)-(\\d\{8\}|\\d\{4\}-\\d\{2\}-\\d\{2\})\$$/;

function collect(match: MatchLogic, into: { names: string[]; prefixes: string[]; dated: string[] }): void {
  if ("or" in match) for (const part of match.or) collect(part, into);
  else if ("equals" in match) into.names.push(match.equals.toLowerCase());
  else if ("starts_with" in match) into.prefixes.push(match.starts_with.toLowerCase());
  else if ("regex" in match && DATED.test(match.regex)) {
    into.dated.push((DATED.exec(match.regex)?.[1] ?? "").replaceAll("\\", ""));
  } else throw new Error(`cannot reduce the match rule ${JSON.stringify(match)}`);
}

function priceOn(model: ModelInfo, asOf: string): ModelPrice {
  if (!Array.isArray(model.prices)) return model.prices;
  let current: ModelPrice | undefined;
  for (const { constraint, prices } of model.prices) {
    if (constraint && constraint.type !== "start_date") throw new Error(`${model.id} has a price by time of day`);
    if (!constraint || constraint.start_date <= asOf) current = prices;
  }
  if (!current) throw new Error(`${model.id} has no price on ${asOf}`);
  return current;
}

/** A tiered price is reduced to its base and the prompt length up to which it holds. */
function rate(price: ModelPrice, key: string): { pico: number; limit?: number } | undefined {
  const value = price[key];
  if (value === undefined) return undefined;
  if (typeof value === "number") return { pico: picoPerToken(String(value)) };
  const limit = Math.min(...value.tiers.map((tier) => tier.start));
  return { pico: picoPerToken(String(value.base)), limit };
}

/** The file's exact text: one model a line, so that an upgrade reads as a diff of models. */
export function serialize(book: PriceBook): string {
  const providers = Object.entries(book.providers).map(
    ([id, entries]) =>
      `    ${JSON.stringify(id)}: [\n${entries.map((entry) => `      ${JSON.stringify(entry)}`).join(",\n")}\n    ]`,
  );
  return `{\n  "source": ${JSON.stringify(book.source)},\n  "as_of": ${JSON.stringify(book.as_of)},\n  "providers": {\n${providers.join(",\n")}\n  }\n}\n`;
}

if (import.meta.main) {
  const flag = process.argv.indexOf("--as-of");
  const asOf = flag > 0 ? process.argv[flag + 1] : new Date().toISOString().slice(0, 10);
  if (!asOf || !/^\d{4}-\d{2}-\d{2}$/.test(asOf)) throw new Error("--as-of takes YYYY-MM-DD");
  const output = resolve(import.meta.dirname, "../src/models/prices.json");
  const book = buildPriceBook(asOf);
  writeFileSync(output, serialize(book));
  const counts = PROVIDERS.map((id) => `${book.providers[id]?.length} of ${id}`).join(", ");
  process.stdout.write(`${output}: ${counts}, from ${book.source} as of ${asOf}\n`);
}
