import type { GetPromptResult, ListPromptsResult } from "@modelcontextprotocol/server";
import { WaypostError } from "../errors.ts";
import { listTemplates, renderTemplate } from "../tools/templates.ts";
import { called, type Exchange, invalid, may, refusal } from "./exchange.ts";
import { OWN_PROMPTS, type OwnPrompt } from "./own_prompts.ts";

/** Prompts: the server's own, then the account's templates by name. */

const PAGE = 100;
const TEMPLATE_NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
/** Characters of one argument of our own prompts. */
const MOST_GIVEN = 10_000;

/** One counted call for the templates, if the caller may chat. */
export async function listPrompts(exchange: Exchange, cursor: string | undefined): Promise<ListPromptsResult> {
  if (cursor !== undefined && !TEMPLATE_NAME.test(cursor)) {
    return invalid(exchange, "cursor", "Use `nextCursor` of the previous answer, or leave it out.");
  }
  const own = cursor === undefined ? OWN_PROMPTS.map(describe) : [];
  if (!may(exchange, "chat")) return { prompts: own };
  const { templates } = (await called(exchange, listTemplates, {})).output;
  const left = templates.filter(({ name }) => cursor === undefined || name > cursor);
  const page = left.slice(0, PAGE);
  const last = page.at(-1);
  return {
    prompts: [
      ...own,
      ...page.map(({ name, title, description, variables }) => ({
        name,
        title,
        ...(description ? { description } : {}),
        arguments: variables.map((each) => ({
          name: each.name,
          ...(each.description ? { description: each.description } : {}),
          required: each.default === undefined,
        })),
      })),
    ],
    ...(left.length > page.length && last ? { nextCursor: last.name } : {}),
  };
}

const describe = ({ name, title, description, arguments: taken }: OwnPrompt) => ({
  name,
  title,
  description,
  arguments: taken.map((each) => ({ name: each.name, description: each.description, required: each.required })),
});

/** @throws ProtocolError for a name there is not, and for arguments that are missing or unknown */
export async function getPrompt(
  exchange: Exchange,
  name: string,
  given: Record<string, string> = {},
): Promise<GetPromptResult> {
  const own = OWN_PROMPTS.find((prompt) => prompt.name === name);
  if (own) return said(own.title, own.text(checked(exchange, own, given)));
  if (!TEMPLATE_NAME.test(name)) {
    const names = OWN_PROMPTS.map((prompt) => prompt.name).join(", ");
    const detail = `There is no such prompt. There are ${names}, and the account's templates.`;
    throw refusal(new WaypostError("not_found", detail), exchange.requestId);
  }
  const { output } = await called(exchange, renderTemplate, { name, variables: given });
  return said(`${output.name}, version ${output.version}`, output.text);
}

const said = (description: string, text: string): GetPromptResult => ({
  description,
  messages: [{ role: "user", content: { type: "text", text } }],
});

function checked(exchange: Exchange, prompt: OwnPrompt, given: Record<string, string>): Record<string, string> {
  const known = prompt.arguments.map(({ name }) => name);
  for (const [name, value] of Object.entries(given)) {
    if (!known.includes(name)) {
      invalid(exchange, name.slice(0, 64), `The prompt has no such argument. It has: ${known.join(", ")}.`);
    }
    if (value.length > MOST_GIVEN) invalid(exchange, name, `At most ${MOST_GIVEN} characters.`);
  }
  const missing = prompt.arguments.find(({ name, required }) => required && !given[name]?.trim());
  if (missing) invalid(exchange, missing.name, "The prompt needs this.");
  return given;
}
