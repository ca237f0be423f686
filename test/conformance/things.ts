import {
  acceptedContent,
  type GetPromptResult,
  type InputRequiredResult,
  inputRequired,
  type Prompt,
  type ReadResourceResult,
  type Resource,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import { PNG } from "./media.ts";

/** Resources and prompts that the official suites read. */

const RESOURCES: Record<
  string,
  { name: string; mimeType: string; text: string } | { name: string; mimeType: string; blob: string }
> = {
  "test://static-text": {
    name: "Static text",
    mimeType: "text/plain",
    text: "This is the content of the static text resource.",
  },
  "test://static-binary": { name: "Static picture", mimeType: "image/png", blob: PNG },
  "test://watched-resource": { name: "Watched", mimeType: "text/plain", text: "This resource can be watched." },
};
const TEMPLATE = /^test:\/\/template\/([^/]+)\/data$/;

export const resources: Resource[] = Object.entries(RESOURCES).map(([uri, { name, mimeType }]) => ({
  uri,
  name,
  mimeType,
  description: name,
}));

export const templates = [
  {
    uriTemplate: "test://template/{id}/data",
    name: "Template",
    description: "Data by id",
    mimeType: "application/json",
  },
];

/** The contents of a fixture; undefined for an address that is none. */
export function read(uri: string): ReadResourceResult | undefined {
  const found = RESOURCES[uri];
  if (found) {
    const { name: _, ...content } = found;
    return { contents: [{ uri, ...content }] };
  }
  const id = TEMPLATE.exec(uri)?.[1];
  if (id === undefined) return undefined;
  const text = JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` });
  return { contents: [{ uri, mimeType: "application/json", text }] };
}

type Arguments = Record<string, string>;
interface PromptFixture extends Prompt {
  get(given: Arguments, ctx: ServerContext): GetPromptResult | InputRequiredResult;
}

const user = (content: GetPromptResult["messages"][number]["content"]) => ({ role: "user" as const, content });
const say = (text: string) => user({ type: "text", text });
const Context = z.object({ context: z.string() });

const PROMPTS: PromptFixture[] = [
  {
    name: "test_simple_prompt",
    description: "A prompt without arguments.",
    get: () => ({ messages: [say("This is a simple prompt for testing.")] }),
  },
  {
    name: "test_prompt_with_arguments",
    description: "A prompt with two arguments.",
    arguments: [
      { name: "arg1", description: "First test argument", required: true },
      { name: "arg2", description: "Second test argument", required: true },
    ],
    get: ({ arg1, arg2 }) => ({ messages: [say(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)] }),
  },
  {
    name: "test_prompt_with_embedded_resource",
    description: "A prompt with a resource in it.",
    arguments: [{ name: "resourceUri", description: "URI of the resource to embed", required: true }],
    get: ({ resourceUri = "" }) => ({
      messages: [
        user({
          type: "resource",
          resource: { uri: resourceUri, mimeType: "text/plain", text: "Embedded resource content for testing." },
        }),
        say("Please process the embedded resource above."),
      ],
    }),
  },
  {
    name: "test_prompt_with_image",
    description: "A prompt with a picture in it.",
    get: () => ({
      messages: [user({ type: "image", data: PNG, mimeType: "image/png" }), say("Please analyze the image above.")],
    }),
  },
  {
    name: "test_input_required_result_prompt",
    description: "A prompt that asks first.",
    get: (_, ctx) => {
      const given = acceptedContent(ctx.mcpReq.inputResponses, "user_context", Context);
      if (given) return { messages: [say(`Use this context: ${given.context}`)] };
      const user_context = inputRequired.elicit({
        message: "What context should the prompt use?",
        requestedSchema: Context,
      });
      return inputRequired({ inputRequests: { user_context } });
    },
  },
];

export const prompts: Prompt[] = PROMPTS.map(({ get: _, ...prompt }) => prompt);

/** What gives a fixture's prompt; undefined for a name that is none. */
export const promptNamed = (name: string): PromptFixture["get"] | undefined =>
  PROMPTS.find((prompt) => prompt.name === name)?.get;
