import { join } from "node:path";
import { parseArgs } from "node:util";
import { selectSentences } from "../src/models/extractive_select.ts";
import type { Passage } from "../src/models/types.ts";
import type { SearchHit } from "../src/vault/types.ts";
import { type Collection, mean, readCollection } from "./lib/collections.ts";
import { bundle, type Served, serve } from "./lib/workerd.ts";

/**
 * What `local/extractive` answers, over the passages a chat call gets: how often its sentences come from a document that is
 * relevant to the question, and how often it says that nothing answers when the question is about something else (the
 * questions of the other collections). The even questions were tuned on; the odd ones count. Exit code 1: a goal was missed
 * or nothing was found.
 */
const { values } = parseArgs({ options: { data: { type: "string" } } });
const dataDir = values.data ?? process.env.WAYPOST_EVAL_DATA ?? join(import.meta.dirname, "../../shared/data");

const NAMES = ["docs-qa", "cranfield", "scifact_train"];
/** Share of odd questions: the first sentence from a relevant document; and of foreign ones: no answer. */
const goals: Record<string, { relevant: number; refused: number } | null> = {
  "docs-qa": { relevant: 0.75, refused: 0.95 },
  cranfield: null,
};
/** As chat asks for them. */
const PASSAGES = 6;
const SPARE = 20;
const FOREIGN = 225;
const documentsPerCall = 100;

/** A question, the documents that answer it (none: it is about something else), and what was found. */
interface Trial {
  question: string;
  relevant: ReadonlySet<string>;
  hits: SearchHit[];
}

const toPassages = (hits: SearchHit[]): (Passage & { document: string })[] =>
  hits.slice(0, PASSAGES).map(({ id, document_id, title, heading, text }, i) => {
    const place = heading && heading !== title ? `${title}: ${heading}` : title;
    return { n: i + 1, id, title: place, url: "", text, document: document_id ?? "" };
  });

/** For each sentence quoted, whether it is from a relevant document. */
function quotes({ question, relevant, hits }: Trial): boolean[] {
  const passages = toPassages(hits);
  return selectSentences(question, passages).map(({ n }) => relevant.has(passages[n - 1]?.document ?? ""));
}

const withoutAnswer = ({ question, relevant, hits }: Trial): Trial => ({
  question,
  relevant,
  hits: hits.filter(({ document_id }) => !relevant.has(document_id ?? "")),
});

const share = (items: readonly boolean[]): number => mean(items.map(Number));

async function evaluate(worker: Served, own: Collection, others: readonly Collection[]) {
  const post = async <T>(action: string, body: unknown): Promise<T> => {
    const response = await fetch(`${worker.url}/${own.name}/${action}`, { method: "POST", body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${action} of ${own.name} answered ${response.status}`);
    return (await response.json()) as T;
  };
  for (let i = 0; i < own.documents.length; i += documentsPerCall) {
    await post("index", own.documents.slice(i, i + documentsPerCall));
  }
  const trials = async (queries: Collection["queries"], known: boolean): Promise<Trial[]> => {
    const made: Trial[] = [];
    for (const { text, relevant } of queries.filter((_, i) => i % 2 === 1)) {
      const hits = await post<SearchHit[]>("search", { query: text, limit: SPARE });
      made.push({ question: text, relevant: known ? relevant : new Set(), hits });
    }
    return made;
  };
  const answerable = await trials(own.queries, true);
  const foreign = await Promise.all(others.map(({ queries }) => trials(queries.slice(0, FOREIGN), false)));
  const quoted = answerable.map(quotes);
  return {
    questions: answerable.length,
    answered: share(quoted.map((each) => each.length > 0)),
    first: share(quoted.map((each) => each[0] === true)),
    any: share(quoted.map((each) => each.includes(true))),
    sentences: share(quoted.flat()),
    foreign: foreign.flat().length,
    refused: share(foreign.flat().map((trial) => quotes(trial).length === 0)),
    bereft: share(answerable.map((trial) => quotes(withoutAnswer(trial)).length === 0)),
  };
}

const collections = NAMES.flatMap((name) => readCollection(dataDir, name) ?? []);
const worker = await serve(bundle("passages"), { VAULT: { className: "Vault", useSQLite: true } });
let evaluated = 0;
let missed = 0;
try {
  for (const [name, goal] of Object.entries(goals)) {
    const own = collections.find((each) => each.name === name);
    const others = collections.filter((each) => each.name !== name);
    if (!own || others.length === 0) {
      console.log(`${name.padEnd(10)} not found, or no other collection beside it, in ${dataDir}`);
      continue;
    }
    const report = await evaluate(worker, own, others);
    evaluated++;
    const reached = !goal || (report.first >= goal.relevant && report.refused >= goal.refused);
    if (!reached) missed++;
    console.log(
      `${name.padEnd(10)} ${report.questions} answerable: ${report.answered.toFixed(2)} answered, first sentence from a relevant ` +
        `document ${report.first.toFixed(2)}, any ${report.any.toFixed(2)}, of all sentences ${report.sentences.toFixed(2)}; ` +
        `${report.foreign} foreign: no answer ${report.refused.toFixed(2)}; relevant documents taken away: no answer ` +
        `${report.bereft.toFixed(2)}${goal ? `  goals ${goal.relevant}, ${goal.refused}: ${reached ? "reached" : "MISSED"}` : ""}`,
    );
  }
} finally {
  await worker.stop();
}
if (evaluated === 0) console.log("No collections were found: name their folder with --data or WAYPOST_EVAL_DATA.");
process.exitCode = evaluated === 0 || missed > 0 ? 1 : 0;
