import type { ListResourcesResult, ListResourceTemplatesResult } from "@modelcontextprotocol/server";
import { listDocuments } from "../tools/list_documents.ts";
import { listSessions } from "../tools/list_sessions.ts";
import { called, type Exchange, invalid, may } from "./exchange.ts";
import { thisMonth } from "./months.ts";
import { documentUri, modelsUri, sessionUri, TEMPLATES, usageUri } from "./uris.ts";

/** What of the account a client can attach: the list, a page at a time, and the templates of its addresses. */

type Resource = ListResourcesResult["resources"][number];

const PAGE = 100;
const PLAIN = "text/plain";
export const MARKDOWN = "text/markdown";

/** Media type of what a document's text is read as. */
export const mimeOf = (format: string | undefined): string => (format === "markdown" ? MARKDOWN : PLAIN);

export const listTemplates = (): ListResourceTemplatesResult => ({
  resourceTemplates: [
    {
      uriTemplate: TEMPLATES.session,
      name: "session",
      title: "Session",
      description: "A saved conversation, oldest message first. A long one ends with the address of its next part.",
      mimeType: MARKDOWN,
    },
    {
      uriTemplate: TEMPLATES.document,
      name: "document",
      title: "Document",
      description: "The text of a document. A long one ends with the address of its next part.",
    },
    {
      uriTemplate: TEMPLATES.usage,
      name: "usage",
      title: "Usage of a month",
      description: "Calls, tokens and cost of a month (YYYY-MM, UTC), and what is left now.",
      mimeType: PLAIN,
    },
  ],
});

type Section = (
  exchange: Exchange,
  page: string | undefined,
  limit: number,
) => Promise<{ found: Resource[]; next: string | null }>;

/** In this order. What the caller may not read is left out, and costs no call. */
const SECTIONS: readonly { name: string; scope: "sync" | "search"; list: Section }[] = [
  { name: "sessions", scope: "sync", list: sessions },
  { name: "documents", scope: "search", list: documents },
];

/** Sessions, then documents, the last changed first. One counted call for each of the two that the page touches. */
export async function listResources(exchange: Exchange, cursor: string | undefined): Promise<ListResourcesResult> {
  const [, name, place] = /^(sessions|documents):([\s\S]*)$/.exec(cursor ?? "") ?? [];
  if (cursor !== undefined && name === undefined) {
    return invalid(exchange, "cursor", "Use `nextCursor` of the previous answer, or leave it out.");
  }
  const resources = cursor === undefined ? fixed(exchange) : [];
  const open = SECTIONS.filter(({ scope }) => may(exchange, scope));
  const from = Math.max(
    0,
    open.findIndex((section) => section.name === name),
  );
  let page = place || undefined;
  for (const section of open.slice(from)) {
    const room = PAGE - resources.length;
    if (room <= 0) return { resources, nextCursor: `${section.name}:` };
    const { found, next } = await section.list(exchange, page, room);
    resources.push(...found);
    if (next !== null) return { resources, nextCursor: `${section.name}:${next}` };
    page = undefined;
  }
  return { resources };
}

function fixed(exchange: Exchange): Resource[] {
  const month = thisMonth();
  const usage = {
    uri: usageUri(month),
    name: "usage",
    title: `Usage in ${month}`,
    description: "What this month cost so far, and what is left.",
    mimeType: PLAIN,
  };
  const models = {
    uri: modelsUri(),
    name: "models",
    title: "Models",
    description: "The models that can be asked here, with prices and limits.",
    mimeType: PLAIN,
  };
  return may(exchange, "usage") ? [usage, models] : [models];
}

async function sessions(exchange: Exchange, page: string | undefined, limit: number) {
  const { output } = await called(exchange, listSessions, { limit, ...(page === undefined ? {} : { page }) });
  const found = output.sessions.map(
    ({ id, title, message_count, updated_at }): Resource => ({
      uri: sessionUri(id),
      name: id,
      title: title || "(untitled)",
      description: `Conversation, ${message_count} message${message_count === 1 ? "" : "s"}`,
      mimeType: MARKDOWN,
      annotations: { lastModified: updated_at },
    }),
  );
  return { found, next: output.next_page };
}

async function documents(exchange: Exchange, page: string | undefined, limit: number) {
  const { output } = await called(exchange, listDocuments, { limit, ...(page === undefined ? {} : { page }) });
  const found = output.documents.map(
    ({ id, title, format, bytes, updated_at }): Resource => ({
      uri: documentUri(id),
      name: id,
      ...(title ? { title } : {}),
      mimeType: mimeOf(format),
      size: bytes,
      annotations: { lastModified: updated_at },
    }),
  );
  return { found, next: output.next_page };
}
