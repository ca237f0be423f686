import { unwrap } from "../errors.ts";
import { sha256 } from "../sha256.ts";
import type { Mutation, MutationOutcome } from "../vault/types.ts";
import { answerTo, type Choice, mustAsk } from "./confirm.ts";
import type { Call } from "./define.ts";

/** Lets a person say which of two values stands, where two devices changed the same field of a session. */

type Conflict = Extract<MutationOutcome, { status: "conflict" }>;
interface Open {
  outcome: Conflict;
  session: string;
  fields: string[];
}

/** A form of more than this is not read. */
const MOST_CHOICES = 10;
const SHOWN = 200;
const FIELDS = new Set(["title", "model_preference", "framing", "local_knowledge", "constraints"]);

/**
 * The outcomes of a push, those of conflicts that a person settled replaced. Whoever declines leaves them as they are. Safe to
 * repeat: the push is, and what is decided is pushed under ids that follow from it.
 * @throws WaypostError `confirmation_required`
 */
export async function settleConflicts(
  call: Call,
  device_id: string,
  mutations: readonly Mutation[],
  outcomes: MutationOutcome[],
): Promise<(MutationOutcome & { detail?: string })[]> {
  const { consent } = call;
  if (!mustAsk(consent, "merge")) return outcomes;
  const open = openConflicts(mutations, outcomes);
  const choices = open.flatMap(choicesOf);
  if (choices.length === 0 || choices.length > MOST_CHOICES || consent.said?.accepted === false) return outcomes;
  const chosen = answerTo(consent, {
    subject: "merge",
    about: digest(open),
    message: "The same was changed on another device meanwhile. Which value stands?",
    choices,
  });
  const decided = open.flatMap(({ outcome, session, fields }): Mutation[] => {
    const taken = fields.filter((field) => chosen[nameOf(outcome.id, field)] === YOURS);
    return taken.length > 0 ? [update(session, outcome, taken)] : [];
  });
  const pushed = decided.length ? unwrap(await call.vault.push({ device_id, mutations: decided })).outcomes : [];
  return outcomes.map((outcome) => {
    const settled = open.find((each) => each.outcome === outcome);
    if (!settled) return outcome;
    const position = decided.findIndex(
      (each) => each.session_id === settled.session && each.id.endsWith(suffix(outcome.id)),
    );
    const end = pushed[position];
    if (!end) return { ...outcome, detail: "The user kept what was stored." };
    return { ...end, id: outcome.id, ...(end.status === "applied" ? { detail: "The user chose this value." } : {}) };
  });
}

const STORED = "stored";
const YOURS = "yours";

function openConflicts(mutations: readonly Mutation[], outcomes: readonly MutationOutcome[]): Open[] {
  return outcomes.flatMap((outcome, i) => {
    const mutation = mutations[i];
    if (outcome.status !== "conflict" || !mutation) return [];
    const fields = Object.keys(outcome.server);
    // A deleted session and cleared messages are no choice between two values.
    if (!fields.every((field) => FIELDS.has(field))) return [];
    return [{ outcome, session: mutation.session_id, fields }];
  });
}

const choicesOf = ({ outcome, session, fields }: Open): Choice[] =>
  fields.map((field) => ({
    name: nameOf(outcome.id, field),
    title: `${field.replaceAll("_", " ")} of session ${session}`,
    description: `${STORED}: ${shown(outcome.server[field])}; ${YOURS}: ${shown(outcome.yours[field])}`,
    options: [STORED, YOURS],
  }));

const nameOf = (id: string, field: string): string => `${field}_${suffix(id)}`;
const suffix = (id: string): string => digest(id).slice(0, 12);

function update(session_id: string, { id, seq, yours }: Conflict, fields: readonly string[]): Mutation {
  const values = Object.fromEntries(fields.map((field) => [field, yours[field]]));
  const { title, model_preference, ...context } = values;
  const body = {
    ...(title === undefined ? {} : { title: title as string }),
    ...(model_preference === undefined ? {} : { model_preference: model_preference as string | null }),
    ...(Object.keys(context).length > 0 ? { context } : {}),
  };
  const decision = `decided_${digest([id, seq, body]).slice(0, 32)}_${suffix(id)}`;
  return { id: decision, kind: "session.update", session_id, base_seq: seq, ...body };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

const digest = (value: unknown): string => sha256(JSON.stringify(value));
