import type { TokenUsage } from "../../ledger/money.ts";
import type { HoldRequest } from "../../ledger/types.ts";
import type { DialectName } from "../../models/dialects/types.ts";
import type { PassPath } from "../../models/pass_target.ts";
import type { Models } from "../../models/types.ts";
import type { Call, DialectReply } from "../define.ts";
import { convertStream, convertWhole } from "./convert.ts";
import { judging } from "./judged.ts";
import { passStream, passWhole } from "./pass.ts";
import { type Body, holdOf, type Plan, planOf } from "./plan.ts";

const PATHS: Record<DialectName, PassPath> = {
  "openai-chat": "/chat/completions",
  "openai-responses": "/responses",
  "anthropic-messages": "/messages",
};

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
    holdOf(planOf(dialect, body, models));

/** Answers in a dialect: passed through where the model's provider speaks it, converted where it does not. */
export const answerIn =
  (dialect: DialectName) =>
  async (call: Call, body: Body): Promise<DialectReply> => {
    const plan = planOf(dialect, body, call.models, call.preferred);
    const granted = call.preferred === undefined ? call.granted : await reserved(call, plan);
    const each = Math.floor((granted ?? plan.wanted * plan.answers) / plan.answers);
    const job: Job = { dialect, body, plan, granted: Math.min(each, plan.wanted), kept: call.attempt !== call.id };
    const target = call.models.passThrough(plan.info);
    const url = target?.dialects.includes(dialect) ? target.url(PATHS[dialect]) : undefined;
    const streamed = call.streamed === true;
    const judged = await judging(call, job);
    const given =
      target && url
        ? await (streamed ? passStream : passWhole)(call, job, target, url)
        : await (streamed ? convertStream : convertWhole)(call, job);
    call.charge(given.usage, { model: plan.info.id, estimated: given.estimated });
    await judged?.(given);
    return given.reply;
  };

/** Output tokens that are paid for, held now that the model is known; undefined when it costs nothing. */
async function reserved(call: Call, plan: Plan): Promise<number | undefined> {
  const hold = holdOf(plan);
  return hold && (await call.reserve(hold));
}
