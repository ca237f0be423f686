import * as z from "zod";

/** What the gate must know of a request in a dialect; everything else is between its caller and the model. */

const tokens = z.int().min(1).max(10_000_000).nullish();

const asked = {
  model: z.string().min(1).max(200).describe("As in chat: provider/name, a bare name, or auto."),
  stream: z.boolean().nullish(),
};

export const ChatCompletionsInput = z.looseObject({
  ...asked,
  messages: z.array(z.unknown()).min(1),
  max_tokens: tokens,
  max_completion_tokens: tokens,
  n: z.int().min(1).max(128).nullish(),
  stream_options: z.looseObject({}).nullish(),
});

export const ResponsesInput = z.looseObject({
  ...asked,
  input: z.union([z.string(), z.array(z.unknown())], { error: "Expected a text, or a list of items" }),
  max_output_tokens: tokens,
});

export const MessagesInput = z.looseObject({
  ...asked,
  messages: z.array(z.unknown()).min(1),
  max_tokens: tokens,
});

export const CountTokensInput = z.looseObject({
  model: asked.model,
  messages: z.array(z.unknown()).min(1),
});

/** The answer itself is in the words of the API that was spoken to. */
export const DialectOutput = z.object({
  status: z.int(),
  contentType: z.string(),
  body: z.string(),
  model: z.string().optional(),
  why: z.string().optional(),
});
