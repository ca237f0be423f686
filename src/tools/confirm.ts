import * as z from "zod";
import { WaypostError } from "../errors.ts";
import type { ConfirmRules } from "./confirm_rules.ts";

/** How a tool leaves a decision to a person. */

export type Subject = "delete" | "spend" | "merge";

/** What a person is asked. An answer counts for the call it was given for, and for what the question was about. */
export interface Question {
  subject: Subject;
  /** Plain text. */
  message: string;
  /** What the answer is bound to beside the input. */
  about?: string;
  /** Spending: the most it can cost, nano-USD. */
  nano?: number;
  /** Absent: a yes is all that is asked for. */
  choices?: Choice[];
}

export interface Choice {
  name: string;
  title: string;
  description: string;
  options: string[];
}

/** What a person said to a question. */
export interface Said {
  question: Pick<Question, "subject" | "about" | "nano">;
  accepted: boolean;
  /** The option of each choice. */
  chosen: Record<string, string>;
}

/** What a door knows of a call's client. */
export interface Asked {
  /** A person can be asked now. */
  canAsk: boolean;
  said?: Said;
}

export interface Consent extends Asked {
  rules: ConfirmRules;
}

/** A field for clients that ask the user themselves. An agent learns of it when it is needed. */
export const confirmField = z.boolean().optional().describe("The user agreed").meta({ rest: true });

/** Whether the tool goes on only with an answer. `confirm`: the caller says that the user agreed. */
export function mustAsk({ rules, canAsk }: Consent, subject: Subject, confirm = false): boolean {
  const mode = rules[subject];
  if (mode === "off") return false;
  return canAsk ? mode === "require" || !confirm : mode === "require" && !confirm;
}

/**
 * What a person chose. Asks when nobody answered this question yet.
 * @throws WaypostError `confirmation_required`, `declined`
 */
export function answerTo({ canAsk, said }: Consent, question: Question): Said["chosen"] {
  if (said && answers(said, question)) {
    if (said.accepted) return said.chosen;
    throw new WaypostError("declined", "The user was asked and did not agree. Nothing was done.");
  }
  throw new WaypostError("confirmation_required", question.message, canAsk ? { question } : { argument: "confirm" });
}

/** Who agreed to an amount agreed to less. */
function answers({ question: told }: Said, { subject, about, nano = 0 }: Question): boolean {
  return told.subject === subject && told.about === about && nano <= (told.nano ?? 0);
}
