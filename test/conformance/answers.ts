import {
  type CallToolResult,
  type InputRequiredResult,
  MissingRequiredClientCapabilityError,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { Tool } from "../../src/tools/define.ts";
import { saveTemplate } from "../../src/tools/templates.ts";
import { asking } from "./asking.ts";
import { capabilitiesOf } from "./capabilities.ts";
import type { Fixture } from "./gate_tools.ts";
import { PNG, WAV } from "./media.ts";

/** What the official suites ask a server's tools to answer. `answer` runs once the gate has let the call through. */
export interface ToolFixture extends Fixture {
  inputSchema?: Record<string, unknown>;
  /** A tool of the product that it calls in between. */
  calls?: { tool: Tool; input: unknown };
  answer(ctx: ServerContext): Promise<CallToolResult | InputRequiredResult> | CallToolResult | InputRequiredResult;
}

const text = (said: string): CallToolResult => ({ content: [{ type: "text", text: said }] });
const image = { type: "image" as const, data: PNG, mimeType: "image/png" };

const logs = async (ctx: ServerContext): Promise<CallToolResult> => {
  for (const said of ["It begins.", "It goes on.", "It ends."]) await ctx.mcpReq.log("info", said);
  return text("Three things were logged.");
};

export const TOOLS: Record<string, ToolFixture> = {
  test_simple_text: {
    description: "Answers with a line of text.",
    answer: () => text("This is a simple text response for testing."),
  },
  test_image_content: { description: "Answers with a picture.", answer: () => ({ content: [image] }) },
  test_audio_content: {
    description: "Answers with a sound.",
    answer: () => ({ content: [{ type: "audio", data: WAV, mimeType: "audio/wav" }] }),
  },
  test_embedded_resource: {
    description: "Answers with a resource.",
    answer: () => ({
      content: [
        {
          type: "resource",
          resource: {
            uri: "test://embedded-resource",
            mimeType: "text/plain",
            text: "This is an embedded resource content.",
          },
        },
      ],
    }),
  },
  test_multiple_content_types: {
    description: "Answers with text, a picture and a resource.",
    answer: () => ({
      content: [
        { type: "text", text: "Multiple content types test:" },
        image,
        {
          type: "resource",
          resource: { uri: "test://mixed-content-resource", mimeType: "application/json", text: '{"test":"data"}' },
        },
      ],
    }),
  },
  test_tool_with_logging: { description: "Logs three things while it runs.", answer: logs },
  test_logging_tool: { description: "Logs to those who asked to be told.", answer: logs },
  test_error_handling: {
    description: "Always fails.",
    answer: () => ({ ...text("This tool intentionally returns an error for testing"), isError: true }),
  },
  test_tool_with_progress: {
    description: "Says how far it has come.",
    steps: 2,
    answer: () => text("It has come to its end."),
  },
  test_streaming_elicitation: {
    description: "Says how far it has come and asks for nothing on the way.",
    steps: 2,
    answer: () => text("Nothing was asked."),
  },
  test_missing_capability: {
    description: "Needs a client that samples.",
    answer: (ctx) => {
      const declared = capabilitiesOf(ctx);
      if (declared?.sampling) return text("The client samples.");
      throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
    },
  },
  test_reconnection: {
    description: "Closes its stream before it answers; the answer is fetched by coming back.",
    answer: async (ctx) => {
      ctx.http?.closeSSE?.();
      await new Promise((resolve) => setTimeout(resolve, 200));
      return text("The stream was closed and taken up again.");
    },
  },
  json_schema_2020_12_tool: {
    description: "Tool with JSON Schema 2020-12 features",
    inputSchema: {
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
      $defs: {
        address: {
          $anchor: "addressDef",
          type: "object",
          properties: { street: { type: "string" }, city: { type: "string" } },
        },
      },
      properties: {
        name: { type: "string" },
        address: { $ref: "#/$defs/address" },
        contactMethod: { type: "string", enum: ["phone", "email"] },
        phone: { type: "string" },
        email: { type: "string" },
      },
      allOf: [{ anyOf: [{ required: ["phone"] }, { required: ["email"] }] }],
      if: { properties: { contactMethod: { const: "phone" } }, required: ["contactMethod"] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ["phone"] },
      else: { required: ["email"] },
      additionalProperties: false,
    },
    answer: () => text("The schema is what counts."),
  },
  test_slow: {
    description: "Says at once that it has begun, and takes its time.",
    steps: 1,
    takes: 400,
    answer: () => text("It took its time."),
  },
  test_trigger_prompt_change: {
    description: "Changes the list of prompts.",
    calls: {
      tool: saveTemplate as unknown as Tool,
      input: { name: "conformance", description: "Says a word.", text: "Say {{word}}." },
    },
    answer: () => text("The list of prompts was changed."),
  },
  ...asking,
};
