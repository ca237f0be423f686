import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { findProvider, type MatchLogic, type ModelInfo, type ModelPrice } from "@pydantic/genai-prices";
import manifest from "../package.json" with { type: "json" };
import type { ClassPrices, TokenClass } from "../src/ledger/money.ts";
import { type DatedPrice, type PriceBook, type PriceEntry, picoPerToken } from "../src/models/prices.ts";

/**
 * Reduces the pinned price package to src/models/prices.json: models that are paid for by the token, integer prices.
 * Anything in the package that this reduction cannot express stops it, so that an upgrade never changes a price unseen.
 *
 *   node scripts/prices.ts [--as-of YYYY-MM-DD]
 */

const PACKAGE = "@pydantic/genai-prices";
/** Our provider -> the package's. */
const PROVIDERS = { openai: "openai", anthropic: "anthropic", azure: "azure", "workers-ai": "cloudflare" } as const;
/** Azure sells what these make at their prices, says the package. */
const FALLBACKS = { azure: ["openai", "anthropic"] };

/** Paid for by something else than tokens of these classes, priced for text only though they hear and speak, or withdrawn. */
const LEFT_OUT =
  /audio-preview|mini-audio|gpt-transcribe|tts|image|whisper|moderation|davinci|^ada|babbage|curie|gpt-3.5-turbo-instruct|computer-use|deep-research|search-preview|:extended|vision-preview|^gpt-oss|^claude-(2|v1|v2)/;
/** Names that are not reached through chat completions. */
const NOT_CHAT = /realtime|audio|transcribe|codex|^(gpt|o\d)[^/]*-pro\b|llama-guard|indictrans|m2m100/;

/** Models that turn text into vectors: they read and write nothing. */
const EMBEDS = /embedding|\/bge-(?!reranker)/;

const CLASSES: Record<string, TokenClass> = {
  input_mtok: "input",
  output_mtok: "output",
  cache_read_mtok: "cacheRead",
  cache_write_mtok: "cacheWrite",
  cache_write_1h_mtok: "cacheWrite1h",
  input_audio_mtok: "inputAudio",
  cache_audio_read_mtok: "cacheReadAudio",
  output_audio_mtok: "outputAudio",
};
/** Tools of the provider's own, which are not offered here; pictures, which are billed as text. */
const IGNORED = ["web_searches_kcount", "storage_searches_kcount", "input_image_mtok", "cache_image_read_mtok"];

/** The price book as the package gives it; `asOf` is the day to write on it. */
export function buildPriceBook(asOf: string): PriceBook {
  const providers: PriceBook["providers"] = {};
  for (const [id, theirs] of Object.entries(PROVIDERS)) {
    const provider = findProvider({ providerId: theirs });
    if (!provider) throw new Error(`the package does not know provider ${theirs}`);
    providers[id] = provider.models.flatMap(reduce);
  }
  const version = manifest.devDependencies[PACKAGE];
  return { source: `${PACKAGE} ${version}`, as_of: asOf, providers, fallbacks: FALLBACKS };
}

/** One entry, or two when only some of a model's names are for chat. */
function reduce(model: ModelInfo): PriceEntry[] {
  if (EMBEDS.test(model.id)) return embedding(model);
  if (LEFT_OUT.test(model.id)) return [];
  const prices = pricesOf(model);
  if (prices.length === 0) return [];
  const rules = { names: [] as string[], prefixes: [] as string[], dated: [] as string[] };
  collect(model.match, rules);
  return [true, false].flatMap((chat) => {
    const wanted = (name: string) => !LEFT_OUT.test(name) && (NOT_CHAT.test(model.id) || NOT_CHAT.test(name)) !== chat;
    const names = rules.names.filter(wanted);
    const prefixes = rules.prefixes.filter(wanted);
    const dated = rules.dated.filter(wanted);
    if (names.length + prefixes.length + dated.length === 0) return [];
    return {
      id: model.id,
      names,
      ...(prefixes.length > 0 ? { prefixes } : {}),
      ...(dated.length > 0 ? { dated } : {}),
      ...(model.context_window ? { contextTokens: model.context_window } : {}),
      ...(chat ? {} : { chat: false as const }),
      prices,
    };
  });
}

function embedding(model: ModelInfo): PriceEntry[] {
  const { prices } = model;
  if (Array.isArray(prices) || typeof prices.input_mtok !== "number" || Object.keys(prices).length !== 1) {
    throw new Error(`${model.id} is an embedding model with another price than one for its input`);
  }
  const rules = { names: [] as string[], prefixes: [] as string[], dated: [] as string[] };
  collect(model.match, rules);
  return [
    {
      id: model.id,
      names: rules.names,
      ...(model.context_window ? { contextTokens: model.context_window } : {}),
      chat: false,
      embeds: true,
      prices: [{ input: picoPerToken(String(prices.input_mtok)), output: 0 }],
    },
  ];
}

const DATED = /^\^([a-z0-9\\.-]+)-(\\d\{8\}|\\d\{4\}-\\d\{2\}-\\d\{2\})\$$/;

function collect(match: MatchLogic, into: { names: string[]; prefixes: string[]; dated: string[] }): void {
  if ("or" in match) for (const part of match.or) collect(part, into);
  else if ("equals" in match) into.names.push(match.equals.toLowerCase());
  // Only the name itself: a model that merely has it somewhere in its own is refused rather than guessed.
  else if ("contains" in match) into.names.push(match.contains.toLowerCase());
  else if ("starts_with" in match) into.prefixes.push(match.starts_with.toLowerCase());
  else if ("regex" in match && DATED.test(match.regex)) {
    into.dated.push((DATED.exec(match.regex)?.[1] ?? "").replaceAll("\\", ""));
  } else throw new Error(`cannot reduce the match rule ${JSON.stringify(match)}`);
}

/** Empty when the model is not priced by input and output tokens. */
function pricesOf(model: ModelInfo): DatedPrice[] {
  const stated = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
  const prices = stated.flatMap(({ constraint, prices }): DatedPrice[] => {
    if (constraint && constraint.type !== "start_date") throw new Error(`${model.id} has a price by time of day`);
    if (prices.input_mtok === undefined || prices.output_mtok === undefined) return [];
    return [{ ...(constraint ? { from: constraint.start_date } : {}), ...priceOf(model.id, prices) }];
  });
  const days = prices.map(({ from }) => from ?? "");
  if (days.some((day, i) => i > 0 && day <= (days[i - 1] ?? ""))) throw new Error(`${model.id}: prices out of order`);
  return prices;
}

function priceOf(id: string, price: ModelPrice): Omit<DatedPrice, "from"> {
  const unknown = Object.keys(price).find((key) => !(key in CLASSES) && !IGNORED.includes(key));
  if (unknown) throw new Error(`${id} has a price for ${unknown}`);
  const tiered = Object.values(price).filter((value) => typeof value === "object");
  const starts = [...new Set(tiered.flatMap(({ tiers }) => tiers.map(({ start }) => start)))].sort((a, b) => a - b);
  const tiers = starts.map((above) => ({ above, ...classesOf(price, above + 1) }));
  return { ...classesOf(price, 0), ...(tiers.length > 0 ? { tiers } : {}) };
}

/** Every class at a prompt's length: the package gives each its own tiers, which begin after `start` tokens. */
function classesOf(price: ModelPrice, prompt: number): ClassPrices {
  const pico: ClassPrices = { input: 0, output: 0 };
  for (const [key, name] of Object.entries(CLASSES)) {
    const value = price[key];
    if (value === undefined) continue;
    const usd =
      typeof value === "number" ? value : (value.tiers.findLast((t) => prompt > t.start)?.price ?? value.base);
    pico[name] = picoPerToken(String(usd));
  }
  return pico;
}

/** The file's exact text: one model a line, so that an upgrade reads as a diff of models. */
export function serialize(book: PriceBook): string {
  const providers = Object.entries(book.providers).map(
    ([id, entries]) =>
      `    ${JSON.stringify(id)}: [\n${entries.map((entry) => `      ${JSON.stringify(entry)}`).join(",\n")}\n    ]`,
  );
  return `{\n  "source": ${JSON.stringify(book.source)},\n  "as_of": ${JSON.stringify(book.as_of)},\n  "fallbacks": ${JSON.stringify(book.fallbacks)},\n  "providers": {\n${providers.join(",\n")}\n  }\n}\n`;
}

if (import.meta.main) {
  const flag = process.argv.indexOf("--as-of");
  const asOf = flag > 0 ? process.argv[flag + 1] : new Date().toISOString().slice(0, 10);
  if (!asOf || !/^\d{4}-\d{2}-\d{2}$/.test(asOf)) throw new Error("--as-of takes YYYY-MM-DD");
  const output = resolve(import.meta.dirname, "../src/models/prices.json");
  const book = buildPriceBook(asOf);
  writeFileSync(output, serialize(book));
  const counts = Object.entries(book.providers).map(([id, entries]) => `${entries.length} of ${id}`);
  process.stdout.write(`${output}: ${counts.join(", ")}, from ${book.source} as of ${asOf}\n`);
}
