import * as z from "zod";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { MARKUP_BPS, type PriceClass } from "../ledger/money.ts";

/** What a model's cost is multiplied by, in basis points; on some plans another. */
export interface Markup {
  markupBps: number;
  planMarkups?: Record<string, number>;
}

/** Up to 99.9999 times, with as many places as a basis point has. */
const Factor = z
  .string()
  .regex(/^\d{1,2}(\.\d{1,4})?$/, 'expected a decimal like "1.03", as a string')
  .transform((text) => {
    const [whole, fraction = ""] = text.split(".");
    return Number(whole) * 10_000 + Number(fraction.padEnd(4, "0"));
  });
const Classes = { local: Factor.optional(), cloud: Factor.optional(), knowledge: Factor.optional() };
const Setting = z.strictObject({
  ...Classes,
  plans: z.record(z.string(), z.strictObject(Classes)).default({}),
  models: z.record(z.string(), Factor).default({}),
});

/** Markups by class of work. The MARKUPS setting changes a class, a class for accounts on a plan, or a model for everybody. */
export class Markups {
  readonly #setting: z.output<typeof Setting>;

  /** @throws WaypostError `not_configured` when MARKUPS is not of its form */
  constructor(env: Pick<Env, "MARKUPS">) {
    this.#setting = env.MARKUPS ? read(env.MARKUPS) : { plans: {}, models: {} };
  }

  /** The plans that it names. */
  get plans(): string[] {
    return Object.keys(this.#setting.plans);
  }

  /** A model's own markup goes before a plan's, a plan's before that of the class. */
  of(work: PriceClass, model: string): Markup {
    const { models, plans } = this.#setting;
    const own = models[model];
    if (own !== undefined) return { markupBps: own };
    const byPlan = Object.entries(plans).flatMap(([plan, classes]) => {
      const bps = classes[work];
      return bps === undefined ? [] : [[plan, bps] as const];
    });
    return {
      markupBps: this.#setting[work] ?? MARKUP_BPS[work],
      ...(byPlan.length > 0 ? { planMarkups: Object.fromEntries(byPlan) } : {}),
    };
  }
}

function read(text: string): z.output<typeof Setting> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new WaypostError("not_configured", "MARKUPS is not valid JSON");
  }
  const parsed = Setting.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new WaypostError("not_configured", `MARKUPS: ${issue?.path.join(".") || "the value"}: ${issue?.message}`);
}
