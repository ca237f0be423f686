import {
  acceptedContent,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  ProtocolError,
  ProtocolErrorCode,
  type RequestStateCodec,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import type { ToolFixture } from "./answers.ts";
import { capabilitiesOf } from "./capabilities.ts";

/** Tools that ask their client for something: in the middle of a request (2025), or by an answer that asks (2026). */

const Name = z.object({ name: z.string() });
const Ok = z.object({ ok: z.boolean() });
const Color = z.object({ color: z.string() });

const askName = (message: string) => inputRequired.elicit({ message, requestedSchema: Name });
const askOk = inputRequired.elicit({ message: "Please confirm", requestedSchema: Ok });
const sample = (text: string, maxTokens: number) =>
  inputRequired.createMessage({ messages: [{ role: "user", content: { type: "text", text } }], maxTokens });
const text = (said: string) => ({ content: [{ type: "text" as const, text: said }] });

interface State {
  tool: string;
  round: number;
}

let codec: RequestStateCodec<State> | undefined;

/**
 * Sealed for the caller and the method: what comes back was sent out here, to the same one, minutes ago. Made on first use:
 * there is no randomness while a Worker starts.
 */
function sealed(): RequestStateCodec<State> {
  codec ??= createRequestStateCodec<State>({
    key: crypto.getRandomValues(new Uint8Array(32)),
    bind: (ctx) => `${ctx.mcpReq.method} ${ctx.http?.authInfo?.clientId ?? ""}`,
  });
  return codec;
}

async function roundOf(ctx: ServerContext, tool: string): Promise<number> {
  const given = ctx.mcpReq.requestState<string>();
  if (given === undefined) return 0;
  const state = await sealed()
    .verify(given, ctx)
    .catch(() => undefined);
  if (state?.tool === tool) return state.round;
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, "Invalid or expired requestState");
}

const stateOf = (ctx: ServerContext, tool: string, round: number) => sealed().mint({ tool, round }, ctx);

/** A tool that asks for a confirmation and wants its own state back with it. */
const confirming = (tool: string, said: string): ToolFixture => ({
  description: "Asks for a confirmation and recognizes what it sent.",
  answer: async (ctx) => {
    const round = await roundOf(ctx, tool);
    if (round > 0 && acceptedContent(ctx.mcpReq.inputResponses, "confirm", Ok)) return text(said);
    return inputRequired({ inputRequests: { confirm: askOk }, requestState: await stateOf(ctx, tool, 1) });
  },
});

const MULTI = "test_input_required_result_multiple_inputs";
const ROUNDS = "test_input_required_result_multi_round";

/** The result of a form as the suites want it told. */
const told = (result: { action: string; content?: unknown }): string =>
  `Elicitation completed: action=${result.action}, content=${JSON.stringify(result.content ?? {})}`;

const options = (...names: string[]) => names.map((title, i) => ({ const: `value${i + 1}`, title }));

/** On the stream of the request it belongs to: a client need not have another, and what is sent on none is lost. */
const onThisStream = (ctx: { mcpReq: { id: string | number } }) => ({ relatedRequestId: ctx.mcpReq.id });

export const asking: Record<string, ToolFixture> = {
  test_sampling: {
    description: "Asks the client's model.",
    answer: async (ctx) => {
      const { content } = await ctx.mcpReq.requestSampling(
        {
          messages: [{ role: "user", content: { type: "text", text: "Test prompt for sampling" } }],
          maxTokens: 100,
        },
        onThisStream(ctx),
      );
      return text(`LLM response: ${"text" in content ? content.text : JSON.stringify(content)}`);
    },
  },
  test_elicitation: {
    description: "Asks the user for a name and an address.",
    answer: async (ctx) => {
      const result = await ctx.mcpReq.elicitInput(
        {
          message: "Please provide your information",
          requestedSchema: {
            type: "object",
            properties: {
              username: { type: "string", description: "User's response" },
              email: { type: "string", description: "User's email address" },
            },
            required: ["username", "email"],
          },
        },
        onThisStream(ctx),
      );
      return text(`User response: ${told(result)}`);
    },
  },
  test_elicitation_sep1034_defaults: {
    description: "Asks with a form that is filled in.",
    answer: async (ctx) => {
      const result = await ctx.mcpReq.elicitInput(
        {
          message: "Please review and update the form fields with defaults",
          requestedSchema: {
            type: "object",
            properties: {
              name: { type: "string", default: "John Doe" },
              age: { type: "integer", default: 30 },
              score: { type: "number", default: 95.5 },
              status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
              verified: { type: "boolean", default: true },
            },
          },
        },
        onThisStream(ctx),
      );
      return text(told(result));
    },
  },
  test_elicitation_sep1330_enums: {
    description: "Asks with every kind of choice.",
    answer: async (ctx) => {
      const result = await ctx.mcpReq.elicitInput(
        {
          message: "Please choose",
          requestedSchema: {
            type: "object",
            properties: {
              untitledSingle: { type: "string", enum: ["option1", "option2", "option3"] },
              titledSingle: { type: "string", oneOf: options("First Option", "Second Option", "Third Option") },
              legacyEnum: {
                type: "string",
                enum: ["opt1", "opt2", "opt3"],
                enumNames: ["Option One", "Option Two", "Option Three"],
              },
              untitledMulti: { type: "array", items: { type: "string", enum: ["option1", "option2", "option3"] } },
              titledMulti: {
                type: "array",
                items: { anyOf: options("First Choice", "Second Choice", "Third Choice") },
              },
            },
          },
        },
        onThisStream(ctx),
      );
      return text(told(result));
    },
  },
  test_input_required_result_elicitation: {
    description: "Asks for a name.",
    answer: (ctx) => {
      const given = acceptedContent(ctx.mcpReq.inputResponses, "user_name", Name);
      if (given) return text(`Hello, ${given.name}!`);
      return inputRequired({ inputRequests: { user_name: askName("What is your name?") } });
    },
  },
  test_input_required_result_sampling: {
    description: "Asks the client's model for a capital.",
    answer: (ctx) => {
      const given = inputResponse(ctx.mcpReq.inputResponses, "capital_question");
      if (given.kind === "sampling") return text(JSON.stringify(given.result.content));
      return inputRequired({ inputRequests: { capital_question: sample("What is the capital of France?", 100) } });
    },
  },
  test_input_required_result_list_roots: {
    description: "Asks for the client's roots.",
    answer: (ctx) => {
      const given = inputResponse(ctx.mcpReq.inputResponses, "client_roots");
      if (given.kind === "roots") return text(given.roots.map(({ uri }) => uri).join("\n"));
      return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
    },
  },
  test_input_required_result_request_state: confirming("test_input_required_result_request_state", "state-ok"),
  test_input_required_result_tampered_state: confirming("test_input_required_result_tampered_state", "untouched"),
  [MULTI]: {
    description: "Asks for three things at once.",
    answer: async (ctx) => {
      const round = await roundOf(ctx, MULTI);
      const { inputResponses } = ctx.mcpReq;
      const name = acceptedContent(inputResponses, "user_name", Name);
      const greeting = inputResponse(inputResponses, "greeting");
      const roots = inputResponse(inputResponses, "client_roots");
      if (round > 0 && name && greeting.kind === "sampling" && roots.kind === "roots") {
        return text(`${name.name}: ${JSON.stringify(greeting.result.content)}, ${roots.roots.length} roots`);
      }
      return inputRequired({
        inputRequests: {
          user_name: askName("What is your name?"),
          greeting: sample("Generate a greeting", 50),
          client_roots: inputRequired.listRoots(),
        },
        requestState: await stateOf(ctx, MULTI, 1),
      });
    },
  },
  [ROUNDS]: {
    description: "Asks twice, one after the other.",
    answer: async (ctx) => {
      const round = await roundOf(ctx, ROUNDS);
      const { inputResponses } = ctx.mcpReq;
      const color = round === 2 && acceptedContent(inputResponses, "step2", Color);
      if (color) return text(`The colour is ${color.color}.`);
      if (round >= 1 && (round === 2 || acceptedContent(inputResponses, "step1", Name))) {
        const step2 = inputRequired.elicit({
          message: "Step 2: What is your favorite color?",
          requestedSchema: Color,
        });
        return inputRequired({ inputRequests: { step2 }, requestState: await stateOf(ctx, ROUNDS, 2) });
      }
      const step1 = askName("Step 1: What is your name?");
      return inputRequired({ inputRequests: { step1 }, requestState: await stateOf(ctx, ROUNDS, 1) });
    },
  },
  test_input_required_result_capabilities: {
    description: "Asks for what the client can be asked.",
    answer: (ctx) => {
      if (Object.keys(ctx.mcpReq.inputResponses ?? {}).length > 0) return text("Thank you.");
      const can = capabilitiesOf(ctx);
      return inputRequired({
        inputRequests: {
          ...(can?.sampling ? { greeting: sample("Generate a greeting", 50) } : {}),
          ...(can?.elicitation ? { user_name: askName("What is your name?") } : {}),
        },
        requestState: "asked",
      });
    },
  },
};
