import { defineTool } from "../define.ts";
import { answerIn, quoteIn } from "./answer.ts";
import { prefersIn } from "./plan.ts";
import { ChatCompletionsInput, DialectOutput } from "./schema.ts";

export const chatCompletions = defineTool({
  name: "chat_completions",
  title: "Chat completions",
  description: "OpenAI's chat completions, for programs that speak them: point their base URL here.",
  scope: "chat",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: ChatCompletionsInput,
  output: DialectOutput,
  rest: { method: "post", path: "/chat/completions" },
  restOnly: true,
  metered: true,
  dialect: "openai",
  prefers: prefersIn,
  quote: quoteIn("openai-chat"),
  run: answerIn("openai-chat"),
  text: ({ body }) => body,
});
