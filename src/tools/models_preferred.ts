import * as z from "zod";
import { WaypostError } from "../errors.ts";
import { authorOf } from "../ledger/key_rules.ts";
import type { Models } from "../models/types.ts";
import { defineTool } from "./define.ts";

/** The model that `auto` takes for the account. REST only: it decides what the account's calls cost. */

const PreferenceOutput = z.object({
  model: z.string().nullable().describe("null: the rules of auto decide"),
  offered: z.boolean().describe("False: auto passes it over, and the answer says so"),
  why: z.string().optional().describe("why it is not offered"),
});
type Preference = z.output<typeof PreferenceOutput>;

export const readPreferences = defineTool({
  name: "read_preferences",
  title: "Read preferences",
  description:
    "The model that auto takes for this account, and whether it can be asked now. A session's own goes before it.",
  scope: "chat",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({}),
  output: PreferenceOutput,
  rest: { method: "get", path: "/preferences" },
  restOnly: true,
  prefers: () => true,
  run: async ({ models, preferred = null }) => told(models, preferred),
  text: line,
});

export const setPreferences = defineTool({
  name: "set_preferences",
  title: "Set preferences",
  description:
    "Sets the model that auto takes for this account, from the next call on, whoever makes it. A model that a call names, and " +
    "one that its session prefers, go before it.",
  scope: "account",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    model: z
      .string()
      .trim()
      .min(1)
      .max(200)
      .nullable()
      .describe(
        "As in chat: provider/name, a name, up to three with commas between, auto:quick|general|code|hard; null or auto: none",
      ),
  }),
  output: PreferenceOutput,
  rest: { method: "patch", path: "/preferences" },
  restOnly: true,
  run: async ({ models, accounts, principal }, { model }) => {
    const wanted = model === "auto" ? null : model;
    if (wanted !== null) tried(models, wanted);
    await accounts.prefer(principal.account, wanted, authorOf(principal));
    return told(models, wanted);
  },
  text: line,
});

/** @throws WaypostError `model_unknown`, `model_unpriced` */
const tried = (models: Models, name: string) => models.route(name, { messages: [], grounded: false });

function told(models: Models, model: string | null): Preference {
  try {
    if (model !== null) tried(models, model);
    return { model, offered: true };
  } catch (error) {
    if (!(error instanceof WaypostError)) throw error;
    return { model, offered: false, why: error.detail };
  }
}

function line({ model, why }: Preference): string {
  if (model === null) return "No model is preferred: auto goes by its rules.";
  return why ? `auto would take ${model}, which is passed over: ${why}` : `auto takes ${model}.`;
}
