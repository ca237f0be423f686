import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { startWaypost } from "../test/node/harness.ts";
import { startUpstream } from "../test/upstream/server.ts";
import { mcpClient, mcpClientOf2025, type Receipt, restClient } from "./lib/demo_clients.ts";
import { defaultSources, readLibrary } from "./lib/demo_documents.ts";
import {
  chatGrounded,
  chatPriced,
  compareUsage,
  indexDocuments,
  type Report,
  readUsage,
  searchAndFetch,
  syncSession,
} from "./lib/demo_steps.ts";
import { firstLine } from "./lib/failure.ts";

const root = resolve(import.meta.dirname, "..");

const HELP = `Usage: npm run demo -- [options]

Indexes documents over REST, then searches, reads, chats and syncs as two MCP clients, and compares the account's usage with
what the calls said they cost. Exit code 1 when anything differs.

  --docs PATH     folder or file with Markdown, text or HTML (default: a test collection beside the repository, else docs/)
  --url URL       server to use (default: one of its own, on a temporary state)
  --key KEY       its API key, with the default scopes; 300 calls a minute are plenty
  --model ID      also chat with this priced model
  --upstream      also chat with a priced model of a stand-in provider (with a server of its own only)
  --questions N   at most so many questions (default 40)
  --help          show this
`;

export interface DemoOptions {
  url?: string;
  key?: string;
  docs?: string[];
  model?: string;
  upstream?: boolean;
  questions?: number;
}

/** Runs the demo and prints its report. Returns what was not as it should be. */
export async function demo(options: DemoOptions, print: (line: string) => void): Promise<string[]> {
  await using stack = new AsyncDisposableStack();
  const differences: string[] = [];
  const report: Report = {
    line: (step, text) => print(`${step.padEnd(8)} ${text}`),
    check: (holds, difference) => {
      if (!holds) differences.push(difference);
    },
  };
  const library = readLibrary(options.docs ?? defaultSources(root));
  if (library.documents.length === 0) throw new Error("there is no Markdown, text or HTML to index");
  const { url, key, model } = await serverFor(options, stack);
  const receipts: Receipt[] = [];
  const rest = restClient(url, key, receipts);
  const agent = await mcpClient(url, key, receipts);
  stack.defer(() => agent.close());
  const agentOf2025 = await mcpClientOf2025(url, key, receipts);
  stack.defer(() => agentOf2025.close());

  const before = await readUsage(rest);
  const from = receipts.length;
  await indexDocuments(library, rest, report);
  const questions = library.questions.slice(0, options.questions ?? 40);
  await searchAndFetch(questions, library, [agent, agentOf2025], report);
  for (const [i, question] of questions.slice(0, 2).entries()) {
    await chatGrounded(question, i === 0 ? agent : agentOf2025, report);
  }
  if (model) await chatPriced(model, { rest, agents: [agent, agentOf2025] }, report);
  await syncSession(agent, agentOf2025, report);
  compareUsage(before, await readUsage(agentOf2025), receipts.slice(from), report);
  return differences;
}

/** The server that was named, or one of its own that ends with the demo. */
async function serverFor(
  { url, key, model, upstream }: DemoOptions,
  stack: AsyncDisposableStack,
): Promise<{ url: string; key: string; model?: string }> {
  if (url) {
    if (!key) throw new Error("--url needs --key");
    if (upstream) throw new Error("--upstream needs a server of the demo's own: leave --url out, or use --model");
    return { url: url.replace(/\/+$/, ""), key, model };
  }
  if (!upstream) {
    const waypost = await startWaypost();
    stack.defer(async () => void (await waypost.stop()));
    return { url: waypost.url, key: waypost.apiKey, model };
  }
  const provider = await startUpstream();
  stack.defer(() => provider.close());
  const waypost = await startWaypost({
    vars: {
      MODEL_PROVIDERS: JSON.stringify([
        { id: "standin", base_url: `${provider.url}/v1`, local: false, models: [{ name: "echo", context: 32_000 }] },
      ]),
      MODEL_PRICES: JSON.stringify({ "standin/echo": { input: "0.15", output: "0.60" } }),
    },
  });
  stack.defer(async () => void (await waypost.stop()));
  return { url: waypost.url, key: waypost.apiKey, model: model ?? "standin/echo" };
}

function readArguments(argv: string[]): DemoOptions & { help?: boolean } {
  const { values } = parseArgs({
    args: argv,
    options: {
      docs: { type: "string", multiple: true },
      url: { type: "string" },
      key: { type: "string" },
      model: { type: "string" },
      upstream: { type: "boolean" },
      questions: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const { questions, ...rest } = values;
  if (questions !== undefined && !/^[1-9]\d{0,4}$/.test(questions)) throw new Error("--questions takes a whole number");
  return { ...rest, ...(questions === undefined ? {} : { questions: Number(questions) }) };
}

if (import.meta.main) {
  // A reader that has seen enough, such as `head`.
  process.stdout.on("error", () => process.exit(1));
  try {
    const options = readArguments(process.argv.slice(2));
    if (options.help) process.stdout.write(HELP);
    else {
      const differences = await demo(options, (line) => console.log(line));
      for (const difference of differences) console.log(`DIFFERS  ${difference}`);
      if (differences.length === 0) console.log("ok       everything as it should be");
      process.exitCode = differences.length === 0 ? 0 : 1;
    }
  } catch (error) {
    process.stderr.write(`demo: ${firstLine(error)}\n`);
    process.exitCode = 1;
  }
}
