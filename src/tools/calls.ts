import * as z from "zod";
import { defineTool } from "./define.ts";
import { noSuchCall } from "./usage.ts";
import { CallOutput } from "./usage_schema.ts";
import { callText } from "./usage_text.ts";

export const readCall = defineTool({
  name: "read_call",
  title: "One call itemised",
  description:
    "What one call cost and why: tokens by class, the price of each with its version, markup, who paid, what was held and " +
    "released, each model that was tried, and every entry it left in the books. The items come to the cost exactly.",
  scope: "usage",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ call_id: z.string().min(1).max(128) }),
  output: CallOutput,
  rest: { method: "get", path: "/usage/calls/{call_id}" },
  restOnly: true,
  reads: ({ call_id }) => ({ callId: call_id }),
  run: async ({ answers }) => {
    if (!answers?.call) throw noSuchCall();
    return answers.call;
  },
  text: (call) => callText(call).join("\n"),
});
