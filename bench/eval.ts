import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Collection, mean, ndcg, readCollection, recall } from "./lib/collections.ts";
import { plainBm25 } from "./lib/plain_bm25.ts";
import { bundle, serve } from "./lib/workerd.ts";

/**
 * Retrieval quality on test collections, through the product's Vault object in workerd: nDCG@10 beside plain BM25,
 * recall@10, and the time of a query as a caller next to it sees it. Exit code 1: a goal was missed or nothing was found.
 */
const { values } = parseArgs({ options: { data: { type: "string" } } });
const dataDir = values.data ?? process.env.WAYPOST_EVAL_DATA ?? join(import.meta.dirname, "../../shared/data");

/** nDCG@10 that the embedded search must reach; null: for comparison only. */
const goals: Record<string, number | null> = { cranfield: 0.52, "docs-qa": 0.75, scifact_train: null };

const documentsPerCall = 100;

interface Report {
  ndcg: number;
  plain: number;
  recall: number;
  msPerQuery: number;
  chunks: number;
  indexSeconds: number;
}

async function evaluate(url: string, collection: Collection): Promise<Report> {
  const post = async (action: string, body: string) => {
    const response = await fetch(`${url}/${collection.name}/${action}`, { method: "POST", body });
    if (!response.ok) throw new Error(`${action} of ${collection.name} answered ${response.status}`);
    return response.json();
  };
  const plain = plainBm25(collection);
  const indexing = performance.now();
  let chunks = 0;
  for (let i = 0; i < collection.documents.length; i += documentsPerCall) {
    chunks += (await post("index", JSON.stringify(collection.documents.slice(i, i + documentsPerCall)))) as number;
  }
  const indexSeconds = (performance.now() - indexing) / 1_000;
  const scores = [];
  for (const { text, relevant } of collection.queries) {
    const start = performance.now();
    const found = (await post("search", text)) as string[];
    const ms = performance.now() - start;
    scores.push({
      ndcg: ndcg(found, relevant),
      recall: recall(found, relevant),
      plain: ndcg(plain(text), relevant),
      ms,
    });
  }
  return {
    ndcg: mean(scores.map((one) => one.ndcg)),
    plain: mean(scores.map((one) => one.plain)),
    recall: mean(scores.map((one) => one.recall)),
    msPerQuery: mean(scores.map((one) => one.ms)),
    chunks,
    indexSeconds,
  };
}

const worker = await serve(bundle("retrieval"), { VAULT: { className: "Vault", useSQLite: true } });
let evaluated = 0;
let missed = 0;
try {
  for (const [name, goal] of Object.entries(goals)) {
    const collection = readCollection(dataDir, name);
    if (!collection) {
      console.log(`${name.padEnd(14)} not found in ${dataDir}`);
      continue;
    }
    const report = await evaluate(worker.url, collection);
    evaluated++;
    const reached = goal === null || report.ndcg >= goal;
    if (!reached) missed++;
    console.log(
      `${name.padEnd(14)} nDCG@10 ${report.ndcg.toFixed(4)}  plain BM25 ${report.plain.toFixed(4)}  ` +
        `recall@10 ${report.recall.toFixed(4)}  ${report.msPerQuery.toFixed(1)} ms/query  ` +
        `(${collection.queries.length} queries, ${collection.documents.length} documents, ${report.chunks} chunks, ` +
        `indexed in ${report.indexSeconds.toFixed(1)} s)${goal === null ? "" : `  goal ${goal}: ${reached ? "reached" : "MISSED"}`}`,
    );
  }
} finally {
  await worker.stop();
}
if (evaluated === 0) console.log("No collection was found: name their folder with --data or WAYPOST_EVAL_DATA.");
process.exitCode = evaluated === 0 || missed > 0 ? 1 : 0;
