import type { CompleteRequest, CompleteResult } from "@modelcontextprotocol/server";
import { ProtocolError } from "@modelcontextprotocol/server";
import { listDocuments } from "../tools/list_documents.ts";
import { listSessions } from "../tools/list_sessions.ts";
import { called, type Exchange, invalid, may } from "./exchange.ts";
import { recentMonths } from "./months.ts";
import { OWN_PROMPTS, type Suggested } from "./own_prompts.ts";
import { TEMPLATES } from "./uris.ts";

/** Values for what a template of an address, or a prompt, leaves open. Those that begin with what was typed come first. */

type Completion = CompleteResult["completion"];

/** The most that the protocol allows. */
const MOST = 100;
const NONE: Completion = { values: [], total: 0, hasMore: false };

const BY_VARIABLE: Readonly<Record<string, Suggested | "document">> = {
  [`${TEMPLATES.session} id`]: "session",
  [`${TEMPLATES.document} id`]: "document",
  [`${TEMPLATES.usage} month`]: "month",
};

export async function complete(exchange: Exchange, params: CompleteRequest["params"]): Promise<CompleteResult> {
  const { ref, argument } = params;
  const typed = argument.value.slice(0, 200);
  return { completion: await suggested(exchange, wantedBy(exchange, ref, argument.name), typed) };
}

function wantedBy(exchange: Exchange, ref: CompleteRequest["params"]["ref"], name: string) {
  if (ref.type === "ref/resource") {
    const wanted = BY_VARIABLE[`${ref.uri} ${name}`];
    return wanted ?? invalid(exchange, "ref", "There is no such template or variable: see resources/templates/list.");
  }
  // What a template of the account leaves open may be anything.
  return OWN_PROMPTS.find((own) => own.name === ref.name)?.arguments.find((each) => each.name === name)?.suggest;
}

async function suggested(
  exchange: Exchange,
  wanted: Suggested | "document" | undefined,
  typed: string,
): Promise<Completion> {
  switch (wanted) {
    case "month": {
      const values = recentMonths().filter((month) => month.startsWith(typed));
      return { values, total: values.length, hasMore: false };
    }
    case "session": {
      if (!may(exchange, "sync")) return NONE;
      const page = await unlessBusy(() => called(exchange, listSessions, { limit: MOST }));
      if (!page) return NONE;
      const { sessions, next_page } = page.output;
      return { values: ranked(sessions, typed), hasMore: next_page !== null };
    }
    case "document": {
      if (!may(exchange, "search")) return NONE;
      const page = await unlessBusy(() => called(exchange, listDocuments, { limit: MOST, match: typed }));
      if (!page) return NONE;
      return { values: ranked(page.output.documents, typed), hasMore: page.output.next_page !== null };
    }
    default:
      return NONE;
  }
}

/** Ids of the things whose id or title has what was typed in it. */
function ranked(things: readonly { id: string; title: string }[], typed: string): string[] {
  const wanted = typed.toLowerCase();
  const rank = ({ id, title }: { id: string; title: string }) => {
    if (id.toLowerCase().startsWith(wanted)) return 0;
    if (title.toLowerCase().startsWith(wanted)) return 1;
    return id.toLowerCase().includes(wanted) || title.toLowerCase().includes(wanted) ? 2 : 3;
  };
  return things
    .map((thing) => ({ id: thing.id, rank: rank(thing) }))
    .filter((each) => each.rank < 3)
    .sort((a, b) => a.rank - b.rank)
    .map(({ id }) => id);
}

/** Who types faster than the account's limit gets no suggestions, and no error. */
async function unlessBusy<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ProtocolError && (error.data as { code?: string }).code === "rate_limited") return undefined;
    throw error;
  }
}
