import type { PricedModel } from "../ledger/types.ts";
import type { ModelInfo } from "../models/types.ts";

/** A model as a hold names it. */
export const pricedModel = ({ id, provider, price, markupBps, planMarkups }: ModelInfo): PricedModel => ({
  model: id,
  provider,
  price,
  markupBps,
  ...(planMarkups ? { planMarkups } : {}),
});
