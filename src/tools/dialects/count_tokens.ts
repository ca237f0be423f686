import { WaypostError } from "../../errors.ts";
import { dialects } from "../../models/dialects/dialects.ts";
import { PassRequest } from "../../models/pass/request.ts";
import type { PassTarget } from "../../models/pass_target.ts";
import type { ModelInfo } from "../../models/types.ts";
import { type Call, type DialectReply, defineTool } from "../define.ts";
import { withBetas } from "./passed.ts";
import { type Body, type Plan, plansOf, prefersIn } from "./plan.ts";
import { estimateInput } from "./reading.ts";
import { CountTokensInput, DialectOutput } from "./schema.ts";

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i;

export const countTokens = defineTool({
  name: "count_tokens",
  title: "Count tokens",
  description:
    "Anthropic's count of a message's input tokens, free. A model of Anthropic's is counted there; for any other it is an " +
    "estimate, and the answer has `estimated: true`.",
  scope: "chat",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: true },
  input: CountTokensInput,
  output: DialectOutput,
  rest: { method: "post", path: "/messages/count_tokens" },
  restOnly: true,
  dialect: "anthropic",
  prefers: prefersIn,
  run: (call, body) => count(call, body),
  text: ({ body }) => body,
});

/** The count of the model that the same messages would go to. What they would be refused for, this is refused for. */
async function count(call: Call, body: Body): Promise<DialectReply> {
  // Nothing is written, so a count has no limit of output; the messages themselves must have one.
  const asked = { max_tokens: 1, ...body };
  const [first] = plansOf("anthropic-messages", asked, call.models, call.preferred);
  const { info, inputTokens } = first as Plan;
  const target = call.models.passThrough(info);
  const url = target?.url("/messages/count_tokens");
  if (target && url) return json(await countedBy(call, info, withBetas(target, call.betas), url, body));
  dialects["anthropic-messages"].decode(asked);
  const { system, messages, tools } = body;
  const likely = estimateInput({ system, messages, tools });
  return json(JSON.stringify({ input_tokens: Math.min(likely, inputTokens), estimated: true }));
}

/** The provider's own answer, as it came. */
async function countedBy(call: Call, info: ModelInfo, target: PassTarget, url: string, body: Body): Promise<string> {
  const request = new PassRequest(info, target, target.patience.wholeMs);
  request.heed(call.signal);
  try {
    const sent = JSON.stringify({ ...body, model: target.modelName });
    const answer = await request.text(await request.post(url, sent, JSON_TYPE));
    if (!isCount(answer)) throw request.failed("sent an answer that is not valid");
    return answer;
  } catch (error) {
    const known = request.explain(error);
    if (known.code !== "client_closed") throw known;
    throw new WaypostError("provider_timeout", `${info.id} had not counted when the call's time was up.`);
  } finally {
    request.close();
  }
}

function isCount(answer: string): boolean {
  try {
    const { input_tokens } = JSON.parse(answer) as { input_tokens?: unknown };
    return Number.isSafeInteger(input_tokens) && (input_tokens as number) >= 0;
  } catch {
    return false;
  }
}

const json = (body: string): DialectReply => ({ status: 200, contentType: "application/json", body });
