import { WaypostError } from "../../errors.ts";
import type { ModelInfo } from "../../models/types.ts";
import { answerFlagged, moderatedInput, sidesOf } from "../chat_moderation.ts";
import type { Call } from "../define.ts";
import type { Given, Job } from "./answer.ts";

/** Judges what a model gave. */
type Judge = (given: Given, info: ModelInfo) => Promise<void>;

/**
 * What the account's policy wants judged, for requests that cannot ask for it: what was sent at once, the answer by the
 * function that is returned. An answer is judged whole, so it cannot be streamed.
 * @throws WaypostError `content_flagged`, `moderation_unavailable`; `invalid_input` for a stream that policy wants judged
 */
export async function judging(call: Call, job: Job): Promise<Judge | undefined> {
  const sides = sidesOf(call, undefined);
  if (sides.size === 0) return undefined;
  if (sides.has("output") && call.streamed) {
    const message = "Answers are judged before they are given here, so they cannot be streamed: leave it out.";
    throw new WaypostError("invalid_input", `stream: ${message}`, { issues: [{ path: "stream", message }] });
  }
  const question = lastWords(job);
  if (sides.has("input")) await moderatedInput(call, undefined, [{ content: question }], job.plan);
  if (!sides.has("output")) return undefined;
  return async ({ reply, usage }, info) => {
    const text = wordsIn(JSON.parse(reply.body)).join("\n");
    const error = await answerFlagged(call, { text, question, usage }, { info });
    if (!error) return;
    const { usage: _, ...extras } = error.extras;
    call.failBilled(error.code, error.detail, extras);
  };
}

/** What came after the model's last turn: what the user says now, and what tools returned. */
function lastWords({ body }: Job): string {
  const said = body.messages ?? body.input;
  if (!Array.isArray(said)) return wordsIn(said).join("\n");
  const from = said.findLastIndex((each) => Object(each).role === "assistant") + 1;
  return wordsIn(said.slice(from).filter((each) => !/^(system|developer)$/.test(Object(each).role))).join("\n");
}

/** Fields of all dialects whose texts are for programs, not to be read. */
const NO_WORDS = new Set(
  (
    "type id role model object name status call_id tool_use_id tool_call_id item_id url image_url file_url data file_data " +
    "file_id media_type finish_reason stop_reason stop_sequence system_fingerprint service_tier signature encrypted_content"
  ).split(" "),
);

/** Every text in a message or an answer, in order. */
function wordsIn(part: unknown): string[] {
  if (typeof part === "string") return part === "" ? [] : [part];
  if (typeof part !== "object" || part === null) return [];
  if (Array.isArray(part)) return part.flatMap(wordsIn);
  return Object.entries(part).flatMap(([key, value]) => (NO_WORDS.has(key) ? [] : wordsIn(value)));
}
