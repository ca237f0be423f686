import { defineTool } from "../define.ts";
import { answerIn, quoteIn } from "./answer.ts";
import { prefersIn } from "./plan.ts";
import { DialectOutput, MessagesInput } from "./schema.ts";

export const messages = defineTool({
  name: "messages",
  title: "Messages",
  description: "Anthropic's messages, for programs that speak them: point their base URL here.",
  scope: "chat",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: MessagesInput,
  output: DialectOutput,
  rest: { method: "post", path: "/messages" },
  restOnly: true,
  metered: true,
  dialect: "anthropic",
  prefers: prefersIn,
  quote: quoteIn("anthropic-messages"),
  run: answerIn("anthropic-messages"),
  text: ({ body }) => body,
});
