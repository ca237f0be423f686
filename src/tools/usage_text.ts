import type { z } from "zod";
import { formatUsd } from "../ledger/money.ts";
import type { CallOutput, GroupsOutput, Totals } from "./usage_schema.ts";

type CallTry = z.output<typeof CallOutput>["tries"][number];
type CallItem = z.output<typeof CallOutput>["items"][number];

/** Reports in words, for clients that show no structured content. */

export function section(title: string, totals: Record<string, z.output<typeof Totals>>): string[] {
  const rows = Object.entries(totals);
  if (rows.length === 0) return [];
  return [`${title}: ${rows.map(([name, t]) => `${name} ${t.calls} calls $${formatUsd(t.cost_nano)}`).join("; ")}.`];
}

export function groupsText({ from, to, by, total, groups, others }: z.output<typeof GroupsOutput>): string[] {
  const line = (name: string, t: z.output<typeof Totals>) =>
    `- ${name}: ${t.calls} calls, ${t.input_tokens}+${t.output_tokens} tokens, $${formatUsd(t.cost_nano)}`;
  return [
    `${from} to ${to} by ${by.join(" and ")}, in all ${total.calls} calls, $${formatUsd(total.cost_nano)}:`,
    ...groups.map((group) => line(by.map((name) => group[name] ?? `no ${name}`).join(", "), group)),
    ...(others ? [line(`${others.groups} more, all in GET /v1/usage.csv`, others)] : []),
  ];
}

export function callText(call: z.output<typeof CallOutput>): string[] {
  const { hold, items, tries, funding } = call;
  const paid = funding === "credit" ? "prepaid credit" : `${call.plan_tokens} plan tokens`;
  const head = `Call ${call.id}, ${call.at}: ${call.tool} ${call.status}${call.model ? `, ${call.model}` : ""}, $${formatUsd(call.cost_nano)}`;
  return [
    `${head}${funding ? `, paid by ${paid}` : ""}${call.estimated ? ", tokens estimated" : ""}.`,
    ...tries.flatMap((one) => [
      ...(tries.length > 1 ? [`Try ${one.n}, ${one.model}: ${one.outcome}, $${formatUsd(one.cost_nano)}.`] : []),
      ...classesOf(one, items),
    ]),
    ...(hold
      ? [
          `Held $${formatUsd(hold.held_nano)} and ${hold.held_tokens} plan tokens; released $${formatUsd(hold.released_nano)}.`,
        ]
      : []),
  ];
}

function classesOf({ n, price_version, markup }: CallTry, items: readonly CallItem[]): string[] {
  const own = items.filter((item) => item.try === n);
  if (own.length === 0) return [];
  const price = markup === null ? "Free" : `Price ${price_version ?? "without a version"}, times ${markup}`;
  const lines = own.map(
    (item) => `- ${item.tokens} ${item.class} at ${item.price_pico_usd} pico-USD: $${formatUsd(item.cost_nano)}`,
  );
  return [`${price}:`, ...lines];
}
