import { type InputResponseView, inputRequired } from "@modelcontextprotocol/server";
import type { CallOutcome } from "../../gate/gate.ts";
import type { Question, Said } from "../../tools/confirm.ts";

/** A tool's question as a form of the protocol, and the form that comes back. */

type Properties = Record<string, { type: "string"; title: string; description: string; enum: string[] }>;

/** What a call that ended for want of an answer asks. */
export function questionOf(outcome: CallOutcome): Question | undefined {
  if (outcome.ok || outcome.error.code !== "confirmation_required") return undefined;
  return outcome.error.extras.question as Question | undefined;
}

/** Without choices to make, sending the form is the yes. */
export function formOf({ message, choices = [] }: Question) {
  const properties: Properties = Object.fromEntries(
    choices.map(({ name, title, description, options }) => [
      name,
      { type: "string", title, description, enum: options },
    ]),
  );
  const required = choices.map(({ name }) => name);
  return inputRequired.elicit({
    message,
    requestedSchema: { type: "object", properties, ...(required.length > 0 ? { required } : {}) },
  });
}

/** What a person said; undefined when it is no answer to the question. Nothing of it has been checked by the protocol. */
export function saidIn(question: Question, response: InputResponseView): Said | undefined {
  if (response.kind !== "elicit") return undefined;
  const { subject, about, nano, choices = [] } = question;
  const told = {
    subject,
    ...(about === undefined ? {} : { about }),
    ...(nano === undefined ? {} : { nano }),
  };
  if (response.action !== "accept") return { question: told, accepted: false, chosen: {} };
  const chosen: Said["chosen"] = {};
  for (const { name, options } of choices) {
    const value = response.content?.[name];
    if (typeof value !== "string" || !options.includes(value)) return undefined;
    chosen[name] = value;
  }
  return { question: told, accepted: true, chosen };
}
