import * as z from "zod";
import { unwrap } from "../errors.ts";
import { howMany } from "./cut.ts";
import { defineTool } from "./define.ts";
import { given, NextCalls, nextLines, nextOf } from "./next_calls.ts";

const Kind = z.enum(["document", "message"]);

const SearchInput = z.strictObject({
  query: z
    .string()
    .max(131_072)
    .describe("Words or a question")
    .meta({ aka: ["q", "text", "question", "search"] }),
  limit: z
    .number()
    .int()
    .min(1)
    .max(50)
    .default(10)
    .describe("Most results")
    .meta({ aka: ["top_k", "max_results", "n"] }),
  offset: z.number().int().min(0).max(50).default(0).describe("Skip so many of them"),
  kinds: z
    .array(Kind)
    .min(1)
    .default(["document", "message"])
    .describe("Where to look")
    .meta({ aka: ["kind"] }),
  document_ids: z
    .array(z.string().max(512))
    .max(100)
    .optional()
    .describe("Only these documents")
    .meta({ aka: ["document_id"] }),
  session_id: z
    .string()
    .max(128)
    .optional()
    .describe("Only this session's messages")
    .meta({ aka: ["session"] }),
  filter: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .refine((filter) => Object.keys(filter).length <= 20 && JSON.stringify(filter).length <= 16_384, {
      error: "A filter has at most 20 keys and 16 KiB.",
    })
    .optional()
    .describe("Only documents with all these metadata values")
    .meta({ examples: [{ team: "infra" }] }),
});

const SearchOutput = z.object({
  results: z
    .array(
      z.object({
        id: z.string().describe("For fetch"),
        title: z.string(),
        snippet: z.string(),
        score: z.number(),
        url: z.string(),
        kind: Kind,
        document_id: z.string().optional(),
        session_id: z.string().optional(),
        place: z.object({ heading: z.string(), start: z.number(), end: z.number() }),
        matched: z.array(z.string()).describe("Query words found"),
      }),
    )
    .describe("Best first"),
  arms: z.array(z.string()).describe("What ranked them"),
  next: NextCalls,
});

type Result = z.output<typeof SearchOutput>["results"][number];

export const search = defineTool({
  name: "search",
  title: "Search",
  description:
    "Finds passages in what the user saved: documents, notes and earlier conversations. It matches words (any of them; rare " +
    "and nearby ones count most), so use those the text would have. Use it before answering from that knowledge. Not for the " +
    "web, nor for titles of sessions (list_sessions). Returns snippets with ids: read one with fetch.",
  scope: "search",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: SearchInput,
  output: SearchOutput,
  rest: { method: "post", path: "/search" },
  run: async (call, input) => {
    const { offset, ...asked } = input;
    const { hits, arms } = unwrap(await call.vault.search(asked));
    const found = hits.slice(offset).map(({ text: _, heading, start, end, document_id, session_id, ...hit }) => ({
      ...hit,
      ...(document_id === null ? {} : { document_id }),
      ...(session_id === null ? {} : { session_id }),
      place: { heading, start, end },
    }));
    const results = found.slice(0, howMany(found));
    const [best] = results;
    const left = found.length - results.length;
    return {
      results,
      arms,
      ...nextOf([
        best && { tool: "fetch", arguments: { id: best.id }, why: "to read the best of them" },
        left > 0 && {
          tool: "search",
          arguments: given({ ...asked, offset: offset + results.length }),
          why: `for the other ${left} results`,
        },
      ]),
    };
  },
  text: ({ results, arms, next }) => {
    if (results.length === 0) return "Nothing found. Try other or fewer words, or drop kinds, filter and ids.";
    const count = `${results.length} result${results.length === 1 ? "" : "s"}, best first (${arms.join(" + ")}). Read one: fetch with its id.`;
    return [count, ...results.map(line), ...nextLines(next)].join("\n\n");
  },
});

function line({ id, title, snippet, url, kind, place }: Result, i: number): string {
  const where = kind === "document" ? place.heading : `said by ${place.heading}`;
  return `${i + 1}. ${title || "(untitled)"}${where ? ` > ${where}` : ""}\nid: ${id}\nurl: ${url}\n${snippet}`;
}
