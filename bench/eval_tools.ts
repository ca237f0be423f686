import { parseArgs } from "node:util";
import { ask, type Judged } from "./tool_selection/live.ts";
import { requests } from "./tool_selection/requests.ts";
import { confusionTable } from "./tool_selection/score.ts";

/**
 * How often a real model picks the right tool with the right arguments, which no test without one can tell. No tool is run;
 * each request is one short completion with the list of tools before it (about 3,000 tokens).
 *
 *     node bench/eval_tools.ts --url http://127.0.0.1:8787 --key wp_… --model openai/gpt-5-mini
 *
 * Exit code 1: fewer than `--floor` of the requests (default 0.9) got their tool.
 */
const { values } = parseArgs({
  options: {
    url: { type: "string", default: "http://127.0.0.1:8787" },
    key: { type: "string", default: process.env.WAYPOST_API_KEY ?? "" },
    model: { type: "string", default: "auto" },
    floor: { type: "string", default: "0.9" },
  },
});
if (!values.key) throw new Error("Name an API key with --key or WAYPOST_API_KEY.");

const judged: Judged[] = [];
for (const request of requests) {
  const one = await ask(values, request);
  judged.push(one);
  if (!one.rightTool) console.log(`${request.tool ?? "no tool"} < ${one.called ?? "no tool"}: ${request.says}`);
  else if (!one.rightArguments) console.log(`${one.called} with ${one.arguments}: ${request.says}`);
}

const share = (n: number, of: number): string => `${n}/${of} (${((100 * n) / of).toFixed(1)} %)`;
const right = (some: readonly Judged[]) => some.filter(({ rightTool }) => rightTool).length;
const others = judged.filter(({ request }) => request.language);
const pairs = judged.map(({ request, called }) => ({ expected: request.tool ?? "(none)", found: called ?? "(none)" }));
console.log(confusionTable(pairs));
console.log(`${values.model}: tool ${share(right(judged), judged.length)}`);
console.log(`tool and arguments ${share(judged.filter((each) => each.rightArguments).length, judged.length)}`);
console.log(`not in English ${share(right(others), others.length)}`);
console.log(`${judged.reduce((sum, { tokens }) => sum + tokens, 0)} tokens`);
process.exitCode = right(judged) / judged.length < Number(values.floor) ? 1 : 0;
