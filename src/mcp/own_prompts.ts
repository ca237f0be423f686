import { thisMonth } from "./months.ts";

/** Prompts of the server's own. A dot is in no template's name, so theirs are never taken from an account. */

/** What an argument stands for, where values can be suggested. */
export type Suggested = "session" | "month";

export interface OwnPrompt {
  name: string;
  title: string;
  description: string;
  arguments: readonly { name: string; description: string; required: boolean; suggest?: Suggested }[];
  /** The message, with the arguments that were given. */
  text: (given: Readonly<Record<string, string>>) => string;
}

const session = { name: "session_id", description: "Id of the session", required: true, suggest: "session" } as const;

export const OWN_PROMPTS: readonly OwnPrompt[] = [
  {
    name: "answer.grounded",
    title: "Answer from my documents",
    description: "Answers a question from the account's own documents and messages, with sources.",
    arguments: [{ name: "question", description: "What to answer", required: true }],
    text: ({ question }) => `Answer this from what my Waypost account knows: ${question}

1. \`search\` for it; search again in other words if the hits do not answer it.
2. \`fetch\` the hits you rely on and read around them.
3. Answer in a few sentences. Name the id of the source after each statement.
4. Say plainly what my documents do not tell. Add nothing from elsewhere unless you mark it.`,
  },
  {
    name: "session.summary",
    title: "Summarise a session",
    description: "What was asked, found, decided and left open in a saved conversation.",
    arguments: [session],
    text: ({ session_id }) => `Summarise my Waypost session ${session_id}.

Read it whole with \`sync_session\` (session_id "${session_id}"; while \`more\`, call again with the cursor). Then tell me in this order,
each in a few lines: what it was about, what was found, what was decided, what is still open. Quote no more than you need.`,
  },
  {
    name: "session.continue",
    title: "Continue a session",
    description: "Takes up a saved conversation where it ended.",
    arguments: [session, { name: "message", description: "What to go on with", required: false }],
    text: ({ session_id, message }) => `Let us go on with my Waypost session ${session_id}.

Read it with \`sync_session\` (session_id "${session_id}"; while \`more\`, call again with the cursor) and keep to its context and decisions.
${message ? `Then do this: ${message}` : "Then tell me in two sentences where it stood, and ask what is next."}`,
  },
  {
    name: "spend.plan",
    title: "Plan the month's spending",
    description: "Looks at what was used and plans the rest of the month.",
    arguments: [
      { name: "budget_usd", description: "What the month may cost, in USD", required: false },
      { name: "month", description: "YYYY-MM; absent: this month", required: false, suggest: "month" },
    ],
    text: ({
      budget_usd,
      month,
    }) => `Plan what I spend on Waypost in ${month || thisMonth()}${budget_usd ? `, to stay within ${budget_usd} USD` : ""}.

Call \`usage\` for the month with group_by ["model"], and again with ["day"]. Amounts are in nano-USD (1e-9 USD).
Then tell me: spent so far and what it went to; where the month ends at this rate; plan tokens and credit left;
and up to three changes that save most, each with what it saves and what is lost by it.`,
  },
  {
    name: "documents.keep",
    title: "Keep what we found",
    description: "Stores what this conversation found as a document that later searches find.",
    arguments: [{ name: "topic", description: "What to keep; absent: all that will be useful later", required: false }],
    text: ({
      topic,
    }) => `Keep what we found ${topic ? `about ${topic}` : "in this conversation"} in my Waypost documents.

First \`search\` for a document about it. Write Markdown that stands alone: facts, decisions, reasons, open questions, dates.
Then \`add_documents\`: with the id of the document there is, if it should be replaced, else with a new one that says what
it is about. Tell me the id, and nothing else unless something failed.`,
  },
];
