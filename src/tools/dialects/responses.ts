import { defineTool } from "../define.ts";
import { answerIn, quoteIn } from "./answer.ts";
import { prefersIn } from "./plan.ts";
import { DialectOutput, ResponsesInput } from "./schema.ts";

export const responses = defineTool({
  name: "responses",
  title: "Responses",
  description: "OpenAI's responses, for programs that speak them: point their base URL here.",
  scope: "chat",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: ResponsesInput,
  output: DialectOutput,
  rest: { method: "post", path: "/responses" },
  restOnly: true,
  metered: true,
  dialect: "openai",
  prefers: prefersIn,
  quote: quoteIn("openai-responses"),
  run: answerIn("openai-responses"),
  text: ({ body }) => body,
});
