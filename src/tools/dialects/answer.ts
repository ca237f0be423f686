import type { TokenUsage } from "../../ledger/money.ts";
import type { HoldRequest } from "../../ledger/types.ts";
import type { DialectName } from "../../models/dialects/types.ts";
import { untilAnswered } from "../../models/routing/attempts.ts";
import { explained } from "../../models/routing/explained.ts";
import type { Models } from "../../models/types.ts";
import type { Call, DialectReply } from "../define.ts";
import { Trying } from "../trying.ts";
import { convertStream, convertWhole } from "./convert.ts";
import { judging } from "./judged.ts";
import { passStream, passWhole } from "./pass.ts";
import { passedTo, withBetas } from "./passed.ts";
import { type Body, holdOf, type Plan, plansOf } from "./plan.ts";

/** A request that was admitted, on its way to a model. */
export interface Job {
  dialect: DialectName;
  body: Body;
  plan: Plan;
  /** Output tokens of each answer that are paid for. */
  granted: number;
  /** The answer is kept for a repeated call, so all of it is worth reading. */
  kept: boolean;
}

/** What a model gave. `estimated`: it sent no usage, so the tokens were counted here. */
export interface Given {
  reply: DialectReply;
  usage: TokenUsage;
  estimated: boolean;
}

export const quoteIn =
  (dialect: DialectName) =>
  (body: Body, models: Models): HoldRequest | undefined =>
    holdOf(plansOf(dialect, body, models));

/**
 * Answers in a dialect: passed through where the model's provider speaks it, converted where it does not. As long as nothing
 * of an answer was sent, a provider that fails is asked again, or the next model in its place.
 */
export const answerIn =
  (dialect: DialectName) =>
  async (call: Call, body: Body): Promise<DialectReply> => {
    const plans = plansOf(dialect, body, call.models, call.preferred);
    const granted = call.preferred === undefined ? call.granted : await reserved(call, plans);
    const kept = call.attempt !== call.id;
    const jobOf = (plan: Plan): Job => {
      const each = Math.floor((granted ?? plan.wanted * plan.answers) / plan.answers);
      return { dialect, body, plan, granted: Math.min(each, plan.wanted), kept };
    };
    const judged = await judging(call, jobOf(plans[0] as Plan));
    const trying = new Trying(call, kept);
    const {
      answer: given,
      model: plan,
      attempts,
    } = await untilAnswered(plans, trying, (each) => ask(call, jobOf(each)));
    call.charge(given.usage, { model: plan.info.id, estimated: given.estimated });
    await judged?.(given, plan.info);
    return { ...given.reply, model: plan.info.id, why: explained(plan.why, plan.info, attempts) };
  };

/** Asks one model once. */
function ask(call: Call, job: Job): Promise<Given> {
  const passed = passedTo(job.dialect, job.plan.info, call.models);
  const pass = call.streamed ? passStream : passWhole;
  if (passed) return pass(call, job, withBetas(passed.target, call.betas), passed.url);
  return (call.streamed ? convertStream : convertWhole)(call, job);
}

/** Output tokens that are paid for, held now that the models are known; undefined when they cost nothing. */
async function reserved(call: Call, plans: readonly Plan[]): Promise<number | undefined> {
  const hold = holdOf(plans);
  return hold && (await call.reserve(hold));
}
