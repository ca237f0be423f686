import { z } from "zod";
import { defineTool, type Tool } from "../../src/tools/define.ts";

/** What the gate sees of a fixture: a tool like any other, whose calls it identifies, admits, counts, books and logs. */

const Input = z.strictObject({});
const Output = z.strictObject({ said: z.string() });

/** Longer than it takes a client to notice that something goes on. */
const PAUSE_MS = 50;

export interface Fixture {
  description: string;
  /** Progress notifications before the answer. */
  steps?: number;
  /** Milliseconds that it takes. */
  takes?: number;
}

export function gateTool(name: string, { description, steps = 0, takes = 0 }: Fixture): Tool {
  return defineTool({
    name,
    title: name,
    description,
    scope: "search",
    annotations: { readOnlyHint: true, openWorldHint: false },
    input: Input,
    output: Output,
    rest: { method: "get", path: `/conformance/${name}` },
    run: async (call) => {
      for (let step = 0; step <= steps && steps > 0; step++) {
        await call.emit({ type: "progress", progress: (100 * step) / steps, total: 100 });
        await pause(PAUSE_MS);
      }
      if (takes > 0) await pause(takes);
      return { said: name };
    },
    text: ({ said }) => said,
  }) as unknown as Tool;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
