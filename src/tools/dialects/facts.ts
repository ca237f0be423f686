import type { AnswerFacts } from "../../models/dialects/types.ts";
import type { Call } from "../define.ts";
import type { Job } from "./answer.ts";

/** What an answer that is written here says of itself. */
export function factsOf(call: Call, { dialect, body, plan }: Job): AnswerFacts {
  const asked = (body.stream_options as { include_usage?: unknown } | null | undefined)?.include_usage === true;
  return {
    id: call.attempt.replace(/^\w+?_/, ""),
    model: plan.named ? body.model : plan.info.id,
    created: Math.floor(Date.now() / 1000),
    includeUsage: dialect !== "openai-chat" || asked,
    request: body,
  };
}
