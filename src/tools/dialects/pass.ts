import type { WaypostError } from "../../errors.ts";
import { ResponsesStream } from "../../models/dialects/responses_stream.ts";
import { isReasoningModel } from "../../models/limits.ts";
import { PassRequest } from "../../models/pass/request.ts";
import { StreamTap } from "../../models/pass/tap.ts";
import { WORDS } from "../../models/pass/words.ts";
import type { PassTarget } from "../../models/pass_target.ts";
import { usageOf } from "../../models/usage/usage.ts";
import type { Call } from "../define.ts";
import { Leaving } from "../leaving.ts";
import type { Given, Job } from "./answer.ts";
import { brokeOff } from "./broken.ts";
import { factsOf } from "./facts.ts";
import { Kept } from "./kept.ts";
import { OUTPUT_FIELDS } from "./plan.ts";
import { Reading } from "./reading.ts";

const EVENT_STREAM = /^text\/event-stream\b/i;
const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;

/** Forwards a stream byte for byte, and reads off it what is to be billed. */
export async function passStream(call: Call, job: Job, target: PassTarget, url: string): Promise<Given> {
  const { plan, dialect } = job;
  // Sent first: all else is made ready while the provider is at work. One that is ended in the same turn never leaves.
  const request = new PassRequest(plan.info, target, target.patience.silentMs);
  const answered = request.post(url, bodyFor(job, target), EVENT_STREAM);
  const leaving = new Leaving(call, job.kept, () => request.cut());
  request.heed(call.signal);
  const reading = new Reading();
  const heard = (text: string): void => {
    reading.said(text);
    leaving.read(text);
  };
  const tap = new StreamTap(dialect, dialect === "openai-chat" && !asksForUsage(job), heard, plan.answers);
  const kept = new Kept(job.kept);
  let begun = false;
  const send = (bytes: Uint8Array): void | Promise<void> => {
    begun = true;
    kept.add(bytes);
    return call.emit({ type: "bytes", bytes });
  };
  try {
    const response = await answered;
    const next = request.pieces(response);
    for (let piece = await next(); !piece.done; piece = await next()) {
      request.pause();
      for (const bytes of tap.push(piece.value)) await send(bytes);
      if (tap.failed) break;
    }
    if (!tap.failed) request.ended();
    const rest = tap.end();
    if (tap.overloaded) throw request.busy("gave up under its load");
    if (tap.failed) throw request.failed("told of an error in the middle of its answer");
    if (!tap.finished) throw request.failed("cut its answer short");
    for (const bytes of rest) await send(bytes);
  } catch (error) {
    // Nothing is missing from an answer that has said its last word.
    if (!tap.finished || tap.failed) {
      const usage = reading.begun ? reading.estimate(job.body, plan, job.granted, tap.usageSoFar) : undefined;
      const { begun: response } = tap;
      const encoder = response && new ResponsesStream(factsOf(call, job), response);
      return await brokeOff(call, job, request.explain(error), usage, begun, encoder);
    }
  } finally {
    request.close();
    leaving.close();
  }
  const { usage } = tap;
  return {
    reply: kept.reply(dialect),
    usage: usage ?? reading.estimate(job.body, plan, job.granted, tap.usageSoFar),
    estimated: usage === null,
  };
}

/** Forwards an answer that comes whole as it came. */
export async function passWhole(call: Call, job: Job, target: PassTarget, url: string): Promise<Given> {
  const { plan, dialect } = job;
  const request = new PassRequest(plan.info, target, target.patience.wholeMs);
  const answered = request.post(url, bodyFor(job, target), JSON_TYPE);
  request.heed(call.signal);
  let body: string;
  let answer: Record<string, unknown>;
  try {
    const response = await answered;
    body = await request.text(response);
    answer = parsed(body, () => request.failed("sent an answer that is not valid"));
    if (WORDS[dialect].failed(answer) || answer.status === "failed") throw request.failed("answered with an error");
  } catch (error) {
    return await brokeOff(call, job, request.explain(error), undefined, false);
  } finally {
    request.close();
  }
  const usage = usageOf(WORDS[dialect].usage, answer);
  const reading = new Reading();
  if (!usage) reading.said(JSON.stringify(answer.choices ?? answer.output ?? answer.content ?? ""));
  return {
    reply: { status: 200, contentType: "application/json", body },
    usage: usage ?? reading.estimate(job.body, plan, job.granted),
    estimated: usage === null,
  };
}

/** A request's own stream options ask for usage at its end. */
const asksForUsage = ({ body }: Job): boolean =>
  (body.stream_options as { include_usage?: unknown } | null | undefined)?.include_usage === true;

/** The request as it came, but for the model's name, the output that is paid for, and the report that is billed by. */
export function bodyFor(job: Job, { modelName }: PassTarget): string {
  const { dialect, body, plan, granted } = job;
  const given = OUTPUT_FIELDS[dialect].filter((field) => typeof body[field] === "number");
  const reasoning = dialect === "openai-chat" && isReasoningModel(plan.info.model);
  const fields = given.length > 0 ? given : [reasoning ? "max_completion_tokens" : OUTPUT_FIELDS[dialect].at(-1)];
  return JSON.stringify({
    ...body,
    model: modelName,
    ...Object.fromEntries(fields.map((field) => [field, granted])),
    ...(dialect === "openai-chat" && body.stream === true
      ? { stream_options: { ...(body.stream_options as object | null | undefined), include_usage: true } }
      : {}),
  });
}

function parsed(text: string, invalid: () => WaypostError): Record<string, unknown> {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw invalid();
  }
  const { choices, output, content } = (answer ?? {}) as Record<string, unknown>;
  // An error is judged by its own words.
  const isAnswer = [choices, output, content].some(Array.isArray) || (answer as { error?: unknown } | null)?.error;
  if (!isAnswer) throw invalid();
  return answer as Record<string, unknown>;
}
