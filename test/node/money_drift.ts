import { Books, type Entry, type Hold } from "../../src/ledger/books.ts";
import type { ClassPrices, TokenClass, TokenPrice, TokenUsage } from "../../src/ledger/money.ts";
import type { CallItem, HoldRequest, PricedModel } from "../../src/ledger/types.ts";

/** Random calls and credits on one account's books, and beside them the same sums reckoned apart, in BigInt. */

type Dice = () => number;
const whole = (dice: Dice, from: number, to: number) => from + Math.floor(dice() * (to - from + 1));

/** From which class a missing price is taken, in order. */
const PARENTS: Record<TokenClass, TokenClass[]> = {
  input: [],
  output: [],
  cacheRead: ["input"],
  cacheWrite: ["input"],
  cacheWrite1h: ["cacheWrite", "input"],
  inputAudio: ["input"],
  cacheReadAudio: ["inputAudio", "cacheRead", "input"],
  outputAudio: ["output"],
  reasoning: ["output"],
};
const CLASSES = Object.keys(PARENTS) as TokenClass[];
const READ = CLASSES.filter((name) => !["output", "outputAudio", "reasoning"].includes(name));

/** What the tries of a call cost together, reckoned apart from the code under test: rounded up once. */
function reckoned(items: readonly CallItem[], models: readonly PricedModel[]): bigint {
  let scaled = 0n;
  for (const { model, usage } of items) {
    const { price, markupBps } = models.find((one) => one.model === model) as PricedModel;
    if (usage) scaled += picoOf(usage, price) * BigInt(markupBps);
  }
  return scaled / 10_000_000n + (scaled % 10_000_000n === 0n ? 0n : 1n);
}

function picoOf(usage: TokenUsage, price: TokenPrice): bigint {
  const prompt = READ.reduce((sum, name) => sum + (usage[name] ?? 0), 0);
  let prices: ClassPrices = price;
  for (const tier of price.tiers ?? []) if (tier.above < prompt) prices = tier;
  let pico = 0n;
  for (const name of CLASSES) {
    const stated = [name, ...PARENTS[name]].find((one) => prices[one] !== undefined) as TokenClass;
    pico += BigInt(usage[name] ?? 0) * BigInt(prices[stated] as number);
  }
  return pico;
}

/** Mostly one try; some calls failed before, some used several models. */
function randomItems(dice: Dice, hold: Hold): CallItem[] {
  const models = [hold.request, ...(hold.request.alternatives ?? [])];
  const items: CallItem[] = [];
  while (dice() < 0.2) {
    const { model } = models[whole(dice, 0, models.length - 1)] as PricedModel;
    const used = dice() < 0.5 ? { usage: randomUsage(dice, hold) } : {};
    items.push({ model, outcome: "provider_failed", ...used });
  }
  const { model } = models[whole(dice, 0, models.length - 1)] as PricedModel;
  return [...items, { model, outcome: "ok", usage: randomUsage(dice, hold) }];
}

function randomClasses(dice: Dice): ClassPrices {
  const prices: ClassPrices = { input: whole(dice, 0, 20_000_000), output: whole(dice, 0, 80_000_000) };
  for (const name of CLASSES) if (dice() < 0.4) prices[name] = whole(dice, 0, 90_000_000);
  return prices;
}

function randomPrice(dice: Dice): TokenPrice {
  const tiered = dice() < 0.4;
  return {
    ...randomClasses(dice),
    ...(tiered ? { tiers: [{ above: whole(dice, 0, 9_000), ...randomClasses(dice) }] } : {}),
  };
}

/** Mostly within the hold; a provider now and then reports more than it was asked for. */
function randomUsage(dice: Dice, hold: Hold): TokenUsage {
  const over = dice() < 0.02 ? 3 : 1;
  const usage: TokenUsage = { input: 0, output: 0 };
  for (const [names, most] of [
    [READ, hold.request.inputTokens],
    [["output", "outputAudio", "reasoning"] as TokenClass[], hold.grantedOutputTokens],
  ] as const) {
    let left = most * over;
    for (const name of names.toSorted(() => dice() - 0.5)) {
      const part = dice() < 0.5 ? whole(dice, 0, left) : 0;
      if (part > 0) usage[name] = part;
      left -= part;
    }
  }
  return usage;
}

/** What was posted, reckoned apart. */
interface Sums {
  entries: number;
  calls: number;
  cost: bigint;
  paid: bigint;
  credited: bigint;
}

/** Differences in nano-USD between the books and what was reckoned apart; all zero when nothing drifted. */
export interface Drift extends Sums {
  balance: bigint;
  settledCost: bigint;
  entriesCredit: bigint;
  entriesCost: bigint;
  entriesHold: bigint;
  reserved: bigint;
  /** Calls whose posted cost was not the reckoned one, or whose items did not come to it. */
  wrong: number;
}

/** Runs until so many entries are posted, then gives back every hold. */
export function runBooks(dice: Dice, entries: number): Drift {
  // Enough for about a fifth of the calls; credit pays for the others.
  const planTokens = entries * 500;
  const books = new Books({ balanceNano: 0, settledCostNano: 0, month: "2026-11", tokensUsed: 0 }, []);
  const sums: Sums = { entries: 0, calls: 0, cost: 0n, paid: 0n, credited: 0n };
  const columns = { credit: 0n, cost: 0n, hold: 0n };
  let wrong = 0;
  const post = (posted: readonly Entry[]) => {
    for (const entry of posted) {
      columns.credit += BigInt(entry.creditNano);
      columns.cost += BigInt(entry.costNano);
      columns.hold += BigInt(entry.holdNano);
      sums.entries++;
    }
  };
  const open: Hold[] = [];
  const end = (hold: Hold) => {
    if (dice() < 0.15) return post(books.release(hold, dice() < 0.5 ? "void" : "expire"));
    const items = randomItems(dice, hold);
    const posting = books.settle(hold, items);
    const cost = reckoned(items, [hold.request, ...(hold.request.alternatives ?? [])]);
    if (BigInt(posting.costNano) !== cost) wrong++;
    if (posting.costs.reduce((sum, one) => sum + BigInt(one), 0n) !== cost) wrong++;
    sums.calls++;
    sums.cost += cost;
    if (hold.funding === "credit") sums.paid += cost;
    post(posting.entries);
  };
  for (let i = 0; sums.entries < entries; i++) {
    if (dice() < 0.1 || books.availableNano < 100_000_000) {
      const nano = whole(dice, 1, 20_000_000_000);
      sums.credited += BigInt(nano);
      post([books.credit(`credit-${i}`, "key", nano, "")]);
    }
    const placed = books.place(
      { callId: `call-${i}`, keyId: "key", tool: "chat", expiresAt: 0 },
      request(dice),
      planTokens,
    );
    if (placed) {
      post([placed.entry]);
      open.push(placed.hold);
    }
    while (open.length > whole(dice, 0, 20)) end(open.splice(whole(dice, 0, open.length - 1), 1)[0] as Hold);
  }
  for (const hold of open) post(books.release(hold, "void"));
  const { balanceNano, settledCostNano } = books.state;
  return {
    ...sums,
    balance: BigInt(balanceNano) - (sums.credited - sums.paid),
    settledCost: BigInt(settledCostNano) - sums.cost,
    entriesCredit: columns.credit - (sums.credited - sums.paid),
    entriesCost: columns.cost - sums.cost,
    entriesHold: columns.hold,
    reserved: BigInt(books.reservedNano),
    wrong,
  };
}

const priced = (dice: Dice, model: string): PricedModel => ({
  model,
  provider: "test",
  price: randomPrice(dice),
  markupBps: [10_000, 10_300, 13_000, whole(dice, 0, 40_000)][whole(dice, 0, 3)] as number,
});

const request = (dice: Dice): HoldRequest => ({
  ...priced(dice, "test/model"),
  ...(dice() < 0.3 ? { alternatives: [priced(dice, "test/other"), priced(dice, "other/third")] } : {}),
  inputTokens: whole(dice, 0, 10_000),
  minOutputTokens: 1,
  maxOutputTokens: whole(dice, 1, 4_000),
});
