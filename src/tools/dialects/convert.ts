import type { LanguageModelV4CallOptions, LanguageModelV4Usage } from "@ai-sdk/provider";
import { WaypostError } from "../../errors.ts";
import type { TokenUsage } from "../../ledger/money.ts";
import { dialects, forModel, toModelUsage, toTokenUsage } from "../../models/dialects/dialects.ts";
import type { Call } from "../define.ts";
import { Leaving } from "../leaving.ts";
import type { Given, Job } from "./answer.ts";
import { brokeOff } from "./broken.ts";
import { factsOf } from "./facts.ts";
import { Kept } from "./kept.ts";
import { Reading } from "./reading.ts";

/** Answers a stream in a dialect that the model's provider does not speak. */
export async function convertStream(call: Call, job: Job): Promise<Given> {
  const { plan, dialect } = job;
  const leaving = new Leaving(call, job.kept);
  const encoder = dialects[dialect].encodeStream(factsOf(call, job));
  const reading = new Reading();
  const kept = new Kept(job.kept);
  const words = new TextEncoder();
  let bill: Bill | undefined;
  let begun = false;
  const send = async (text: string): Promise<void> => {
    if (text === "") return;
    const bytes = words.encode(text);
    begun = true;
    kept.add(bytes);
    await call.emit({ type: "bytes", bytes });
  };
  try {
    const model = await call.models.languageModel(plan.info);
    const { stream } = await model.doStream(optionsOf(job, leaving.signal));
    for await (const part of stream) {
      if (part.type === "error") throw part.error;
      if (part.type === "text-delta" || part.type === "reasoning-delta" || part.type === "tool-input-delta") {
        reading.said(part.delta);
        leaving.read(part.delta);
      }
      if (part.type === "finish") bill = billOf(part.usage, reading, job);
      await send(encoder.push(part.type === "finish" && bill ? { ...part, usage: bill.shown } : part));
    }
    if (!bill) throw failed(job, "cut its answer short");
    await send(encoder.end());
  } catch (error) {
    const produced = reading.begun ? reading.estimate(job.body, plan, job.granted) : undefined;
    return await brokeOff(call, job, explained(error, job, leaving.signal), produced, begun, encoder);
  } finally {
    leaving.close();
  }
  return { reply: kept.reply(dialect), usage: bill.usage, estimated: bill.estimated };
}

/** Answers whole in a dialect that the model's provider does not speak. */
export async function convertWhole(call: Call, job: Job): Promise<Given> {
  try {
    const model = await call.models.languageModel(job.plan.info);
    const result = await model.doGenerate(optionsOf(job, call.signal));
    const reading = new Reading();
    for (const part of result.content) {
      if (part.type === "text" || part.type === "reasoning") reading.said(part.text);
      if (part.type === "tool-call") reading.said(part.input);
    }
    const { shown, usage, estimated } = billOf(result.usage, reading, job);
    const answer = dialects[job.dialect].encodeWhole({ ...result, usage: shown }, factsOf(call, job));
    return { reply: { status: 200, contentType: "application/json", body: JSON.stringify(answer) }, usage, estimated };
  } catch (error) {
    return await brokeOff(call, job, explained(error, job, call.signal), undefined, false);
  }
}

function optionsOf({ dialect, body, granted, plan }: Job, abortSignal: AbortSignal): LanguageModelV4CallOptions {
  const { options } = dialects[dialect].decode(body);
  const field = dialect === "openai-responses" ? "input" : "messages";
  return forModel({ ...options, maxOutputTokens: granted, abortSignal }, plan.info, field);
}

/** What an answer is billed by. */
interface Bill {
  usage: TokenUsage;
  estimated: boolean;
  /** The same, for the answer to tell. */
  shown: LanguageModelV4Usage;
}

/** Without a report from the provider, what was counted here. */
function billOf(given: LanguageModelV4Usage, reading: Reading, { body, plan, granted }: Job): Bill {
  const usage = toTokenUsage(given);
  const reported = usage.input + usage.output + (usage.cacheRead ?? 0) + (usage.reasoning ?? 0) > 0;
  if (reported) return { usage, estimated: false, shown: given };
  const estimate = reading.estimate(body, plan, granted);
  return { usage: estimate, estimated: true, shown: toModelUsage(estimate) };
}

function explained(error: unknown, job: Job, signal: AbortSignal): WaypostError {
  if (signal.aborted) return new WaypostError("client_closed", "The call was cancelled.");
  return error instanceof WaypostError ? error : failed(job, "broke off its answer");
}

const failed = ({ plan: { info } }: Job, what: string): WaypostError =>
  new WaypostError("provider_failed", `Provider ${info.provider} (model ${info.name}) ${what}.`);
