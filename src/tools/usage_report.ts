import * as z from "zod";
import { defineTool } from "./define.ts";
import { checkRange, daysOf, filterFields, filterOf, rangeFields } from "./usage_range.ts";
import { GroupsOutput } from "./usage_schema.ts";
import { groupsText } from "./usage_text.ts";

export const reportUsage = defineTool({
  name: "report_usage",
  title: "Usage of a range",
  description:
    "Calls, tokens and cost from one day to another (UTC, both included, 13 months at most), by any of the dimensions, with " +
    "filters. Groups that are not listed are summed up in `others`, so that the groups always come to the total.",
  scope: "usage",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z
    .strictObject({
      ...rangeFields,
      group_by: rangeFields.group_by.default(["day"]),
      ...filterFields,
      limit: z.number().int().min(1).max(1_000).default(400).describe("Most groups to list"),
    })
    .superRefine(checkRange),
  output: GroupsOutput,
  rest: { method: "get", path: "/usage/report" },
  restOnly: true,
  reads: (input) => ({
    groups: {
      ...daysOf(input, Date.now()),
      by: [...new Set(input.group_by)],
      filter: filterOf(input),
      limit: input.limit,
    },
  }),
  run: async ({ answers }) => {
    if (!answers?.groups) throw new Error("the admission carried no groups");
    return answers.groups;
  },
  text: (report) => groupsText(report).join("\n"),
});
