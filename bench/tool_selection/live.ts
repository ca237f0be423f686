import { INSTRUCTIONS } from "../../src/mcp/instructions.ts";
import { agentTools } from "../../src/tools/registry.ts";
import { briefSchemasOf } from "../../src/tools/schema.ts";
import type { ToolRequest } from "./requests.ts";

/** The choice of a tool by a real model, over the OpenAI-compatible endpoint of a running Waypost. */

export interface LiveOptions {
  url: string;
  key: string;
  model: string;
}

export interface Judged {
  request: ToolRequest;
  /** Name of the first tool that was called; null: none. */
  called: string | null;
  arguments: string;
  rightTool: boolean;
  /** The named arguments hold what they must, and the tool's schema takes them all. */
  rightArguments: boolean;
  tokens: number;
}

interface Completion {
  choices: { message: { tool_calls?: { function: { name: string; arguments: string } }[] } }[];
  usage?: { prompt_tokens: number; completion_tokens: number };
}

const tools = agentTools.map((tool) => ({
  type: "function",
  function: { name: tool.name, description: tool.description, parameters: briefSchemasOf(tool).input },
}));

/** @throws Error when the endpoint refuses */
export async function ask({ url, key, model }: LiveOptions, request: ToolRequest): Promise<Judged> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      model,
      temperature: 0,
      max_tokens: 500,
      messages: [
        { role: "system", content: `${INSTRUCTIONS}\nCall a tool only where one is needed; otherwise answer.` },
        { role: "user", content: request.says },
      ],
      tools,
    }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`/v1/chat/completions answered ${response.status}: ${text.slice(0, 500)}`);
  const { choices, usage } = JSON.parse(text) as Completion;
  const call = choices[0]?.message.tool_calls?.[0]?.function;
  return judge(request, call ?? null, (usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
}

export function judge(request: ToolRequest, call: { name: string; arguments: string } | null, tokens = 0): Judged {
  const called = call?.name ?? null;
  const rightTool = called === request.tool || (called !== null && (request.or ?? []).includes(called));
  const rightArguments = rightTool && (call === null || fits(request, call));
  return { request, called, arguments: call?.arguments ?? "", rightTool, rightArguments, tokens };
}

function fits({ tool, args = {} }: ToolRequest, call: { name: string; arguments: string }): boolean {
  let input: Record<string, unknown>;
  try {
    input = JSON.parse(call.arguments || "{}");
  } catch {
    return false;
  }
  const schema = agentTools.find(({ name }) => name === call.name)?.input;
  if (!schema?.safeParse(input).success) return false;
  // What an alternative tool must be given is not written down.
  return (
    call.name !== tool || Object.entries(args).every(([name, holds]) => holds.test(JSON.stringify(input[name]) ?? ""))
  );
}
