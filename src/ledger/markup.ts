import type { HoldRequest, PricedModel } from "./types.ts";

/** The hold with the one markup of each of its models that an account on this plan pays. */
export function forPlan(hold: HoldRequest, plan: string): HoldRequest {
  const settled = onPlan(hold, plan);
  return hold.alternatives
    ? { ...settled, alternatives: hold.alternatives.map((model) => onPlan(model, plan)) }
    : settled;
}

function onPlan<M extends PricedModel>({ planMarkups, ...model }: M, plan: string): Omit<M, "planMarkups"> {
  return { ...model, markupBps: planMarkups?.[plan] ?? model.markupBps };
}
