import { forPlan } from "../ledger/markup.ts";
import { formatUsd } from "../ledger/money.ts";
import type { HoldRequest } from "../ledger/types.ts";
import { worstCost } from "../ledger/worst_case.ts";
import { answerTo, mustAsk } from "./confirm.ts";
import type { Call } from "./define.ts";

/**
 * Lets a person decide on a call that can cost more than the rules allow unasked.
 * @throws WaypostError `confirmation_required`, `declined`
 */
export function confirmSpending(
  { consent, principal }: Call,
  confirm: boolean | undefined,
  hold: () => { hold: HoldRequest | undefined; outputTokens: number },
): void {
  if (!mustAsk(consent, "spend", confirm)) return;
  const { hold: wanted, outputTokens } = hold();
  if (!wanted) return;
  const nano = worstCost(forPlan(wanted, principal.plan), outputTokens);
  if (nano <= consent.rules.spendAboveNano) return;
  const models = [wanted, ...(wanted.alternatives ?? [])].map(({ model }) => model);
  const others = models.length > 1 ? ` or, should it fail, ${models.slice(1).join(", ")}` : "";
  answerTo(consent, {
    subject: "spend",
    nano,
    message: `This call of ${models[0]}${others} can cost up to $${usd(nano)}; what is used is charged. Go on?`,
  });
}

/** Without zeros that say nothing. */
const usd = (nano: number): string => formatUsd(nano).replace(/(\.\d\d\d*?)0+$/, "$1");
