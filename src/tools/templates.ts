import * as z from "zod";
import { type Result, unwrap as unwrapped } from "../errors.ts";
import { type Call, defineTool } from "./define.ts";
import { render, variablesOf } from "./templates_render.ts";

/** Prompt templates of the account. REST only: what keeps them is a program or a person. */

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;
const TemplateName = z
  .string()
  .regex(NAME, "Lower case letters, digits, _ and -; 64 at most.")
  .describe("Template name");
const Version = z.int().min(1);
const Values = z.record(z.string(), z.string().max(262_144)).default({});

const Variable = z.object({
  name: z.string(),
  description: z.string(),
  default: z.string().optional().describe("Absent: the variable must be given"),
});

const TemplateFields = z.object({
  name: z.string(),
  version: z.number().int(),
  title: z.string(),
  description: z.string(),
  variables: z.array(Variable),
  created_at: z.string(),
});

const TemplateOutput = TemplateFields.extend({
  text: z.string(),
  newest: z.number().int().describe("Number of the last version"),
});

/** A template as a field of another tool's input; without words, because agents pay for them when they list the tools. */
export const TemplateUse = z.strictObject({
  name: z.string().regex(NAME),
  version: Version.optional(),
  variables: Values,
});

const NEXT = "GET /v1/templates lists the templates of this account.";

/** What the vault answered. @throws WaypostError its failure; of a template that is not there, with where they are listed */
const unwrap = <T>(result: Result<T>): T =>
  unwrapped(
    !result.ok && result.code === "not_found" ? { ...result, extras: { ...result.extras, next: NEXT } } : result,
  );

const reading = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };

export const saveTemplate = defineTool({
  name: "save_template",
  title: "Save a prompt template",
  description:
    "Stores a new version of a template: text with {{variable}} placeholders (\\{{x}} stands for itself). Versions before stay " +
    "readable by their number. A variable without a default must be given when the template is used.",
  scope: "chat",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  input: z.strictObject({
    name: TemplateName,
    text: z.string().min(1).max(65_536),
    title: z.string().max(200).optional(),
    description: z.string().max(2_000).optional(),
    variables: z
      .array(
        z.strictObject({
          name: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,63}$/, "Letters, digits and _, no digit first; 64 at most."),
          description: z.string().max(500).default(""),
          default: z.string().max(65_536).optional(),
        }),
      )
      .max(50)
      .default([])
      .describe("Those in the text that are not named here have no default"),
  }),
  output: TemplateOutput,
  rest: { method: "post", path: "/templates" },
  restOnly: true,
  run: async (call, { name, text, title = name, description = "", variables }) =>
    unwrap(await call.vault.saveTemplate({ name, title, description, text, variables: variablesOf(text, variables) })),
  text: ({ name, version }) => `Template ${name} is saved as version ${version}.`,
});

export const listTemplates = defineTool({
  name: "list_templates",
  title: "List prompt templates",
  description: "The account's templates by name, each as its newest version, without the text.",
  scope: "chat",
  annotations: reading,
  input: z.strictObject({}),
  output: z.object({ templates: z.array(TemplateFields) }),
  rest: { method: "get", path: "/templates" },
  restOnly: true,
  run: async (call) => ({ templates: unwrap(await call.vault.listTemplates()) }),
  text: ({ templates }) => templates.map(({ name, version, title }) => `${name} (${version}) ${title}`).join("\n"),
});

export const readTemplate = defineTool({
  name: "read_template",
  title: "Read a prompt template",
  description: "One version of a template with its text; the newest unless `version` names another.",
  scope: "chat",
  annotations: reading,
  input: z.strictObject({ name: TemplateName, version: Version.optional() }),
  output: TemplateOutput,
  rest: { method: "get", path: "/templates/{name}" },
  restOnly: true,
  run: async (call, { name, version }) => unwrap(await call.vault.readTemplate(name, version)),
  text: ({ name, version, text }) => `${name}, version ${version}:\n\n${text}`,
});

export const deleteTemplate = defineTool({
  name: "delete_template",
  title: "Delete a prompt template",
  description: "Deletes a template with all its versions. Saved again, it goes on counting where it was.",
  scope: "chat",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ name: TemplateName }),
  output: z.object({ name: z.string(), versions: z.number().int().describe("Versions deleted") }),
  rest: { method: "delete", path: "/templates/{name}" },
  restOnly: true,
  run: async (call, { name }) => unwrap(await call.vault.deleteTemplate(name)),
  text: ({ name, versions }) => `Template ${name} is deleted with ${versions} versions.`,
});

export const renderTemplate = defineTool({
  name: "render_template",
  title: "Render a prompt template",
  description: "The text of a template with values in place of its variables, as a chat with `template` would send it.",
  scope: "chat",
  annotations: reading,
  input: TemplateUse,
  output: z.object({ name: z.string(), version: z.number().int(), text: z.string() }),
  rest: { method: "post", path: "/templates/{name}/render" },
  restOnly: true,
  run: (call, use) => rendered(call, use),
  text: ({ text }) => text,
});

/**
 * A template of the account with its variables filled in.
 * @throws WaypostError `not_found`, `invalid_input` naming the variables that are missing or unknown
 */
export async function rendered(call: Pick<Call, "vault">, use: z.output<typeof TemplateUse>) {
  const template = unwrap(await call.vault.readTemplate(use.name, use.version));
  return { name: template.name, version: template.version, text: render(template, use.variables) };
}

/** An input that may name a template in place of its message. */
interface Templated {
  message?: string | undefined;
  template?: z.output<typeof TemplateUse> | undefined;
}

/** The input with the rendered template as its message; as it is when it names none. Errors are those of `rendered`. */
export async function applyTemplate<Input extends Templated>(call: Pick<Call, "vault">, input: Input): Promise<Input> {
  if (!input.template) return input;
  const { text: message } = await rendered(call, input.template);
  return { ...input, message, template: undefined };
}
