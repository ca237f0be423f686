import type { Dice } from "../fuzz/dice.ts";
import type { Asked } from "./crosstalk_clients.ts";

/** An account whose clients speak. */
export interface Party {
  /** Place in the list of accounts; in the canary of its document, and in the tokens of its calls. */
  index: number;
  account: string;
  keys: string[];
  documentId: string;
}

export interface Question {
  asked: Asked;
  /** Occurs in no other question. */
  token: string;
  /** What the answer must hold. */
  wants: string;
}

/** One of the questions whose answer says whose it is: it repeats a token, or tells of what only one account has. */
export function question(dice: Dice, party: Party, others: readonly Party[], client: number, n: number): Question {
  const token = `tok-${party.index}-${client}-${n}-`;
  const call = (name: string, args: object): Asked => ({ method: "tools/call", params: { name, arguments: args } });
  const of = (asked: Asked, wants = token): Question => ({ asked, token, wants });
  const canary = `canary-${party.index}-`;
  return dice.weighted<() => Question>([
    [20, () => of(call("search", { query: "tea", [token]: 1 }))],
    [15, () => of(call("sync_session", pushed(token, client, n)))],
    [11, () => of(call("chat", { model: "paid/echo", message: token, max_tokens: 20 }))],
    // Its connections are cut at times, so that calls are retried amid all others.
    [4, () => of(call("chat", { model: "paid/cut-at-times", message: token, max_tokens: 20 }))],
    [12, () => of({ method: "prompts/get", params: { name: "answer.grounded", arguments: { question: token } } })],
    [8, () => of(call(`no_${token}`, {}), `no_${token}`)],
    [8, () => of(call("whoami", {}), party.account)],
    [10, () => of(call("search", { query: "canary" }), canary)],
    [8, () => of(call("fetch", { id: party.documentId }), canary)],
    [4, () => of(call("fetch", { id: dice.pick(others).documentId }), "not_found")],
  ])();
}

/** A session of one call alone, with the token as its title. */
function pushed(token: string, client: number, n: number) {
  const digits = (length: number, ...parts: number[]) =>
    parts
      .map((part) => String(part).padStart(7, "0"))
      .join("")
      .padStart(length, "0");
  const session_id = `01HS${digits(22, client, n)}`;
  const push = [{ kind: "session.create", id: `01HM${digits(22, client, n)}`, session_id, title: token }];
  return { device_id: `d${client}`, push, session_id };
}

/** Says what is wrong with an answer; null when it is to this question and of this account alone. */
export function judged(
  answer: string,
  { token, wants }: Question,
  party: Party,
  others: readonly Party[],
): string | null {
  if (!answer.includes(wants)) return `${wants} is not in the answer: ${answer.slice(0, 300)}`;
  for (const [found] of answer.matchAll(/tok-\d+-\d+-\d+-/g)) {
    // An account's search and list may well tell of its own sessions.
    if (found !== token && !found.startsWith(`tok-${party.index}-`)) return `${found} is in the answer to ${token}`;
    if (found !== token && wants === token) return `${found} is in the answer to ${token}`;
  }
  for (const [, index] of answer.matchAll(/canary-(\d+)-/g)) {
    if (Number(index) !== party.index) return `the answer to ${token} holds a document of account ${index}`;
  }
  const other = others.find(({ account }) => answer.includes(account));
  return other ? `the answer to ${token} names account ${other.account}` : null;
}

/** The id of the call an answer is of; none when no tool was called. */
export const callIdIn = (answer: string): string | undefined => /"waypost\/call-id":"(call_\w+)"/.exec(answer)?.[1];
