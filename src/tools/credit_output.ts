import * as z from "zod";
import type { CreditMoved } from "../ledger/types.ts";

/** What an operator is told who added credit or adjusted it. */

export const CreditOutput = z.object({
  account: z.string(),
  balance_nano: z.number().int(),
  posted: z.boolean().describe("false: this id had been posted before, with the same amount"),
});
type CreditOutput = z.output<typeof CreditOutput>;

export const creditOutput = (account: string, { balanceNano, posted }: CreditMoved): CreditOutput => ({
  account,
  balance_nano: balanceNano,
  posted,
});

export const creditText = ({ account, balance_nano, posted }: CreditOutput): string =>
  `Account ${account} has ${balance_nano} nano-USD of prepaid credit${posted ? "" : "; this id had been posted before"}.`;
