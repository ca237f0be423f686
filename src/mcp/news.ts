import type { ServerEvent } from "@modelcontextprotocol/server";
import type { News } from "../vault/watchers.ts";
import { addressOf } from "./uris.ts";

/** What a client wants to hear of: `SubscriptionFilter` of 2026, or what a session of 2025 has subscribed to. */
export interface Wanted {
  resourcesListChanged?: boolean | undefined;
  promptsListChanged?: boolean | undefined;
  resourceSubscriptions?: readonly string[] | undefined;
}

/** Resources that one client can follow on a stream. */
export const MOST_FOLLOWED = 200;

/**
 * The part of it that this caller can be told: resources of the vault that its scopes cover, whether they exist or not.
 * What was used and which models there are is told to nobody.
 */
export function tellable({ resourceSubscriptions = [], ...lists }: Wanted, scopes: readonly string[]): Wanted {
  const uris = [...new Set(resourceSubscriptions)].filter((uri) => follows(uri, scopes)).slice(0, MOST_FOLLOWED);
  const may = (scope: string) => scopes.includes(scope);
  return {
    ...(lists.resourcesListChanged && (may("sync") || may("search")) ? { resourcesListChanged: true } : {}),
    ...(lists.promptsListChanged && may("chat") ? { promptsListChanged: true } : {}),
    ...(uris.length > 0 ? { resourceSubscriptions: uris } : {}),
  };
}

/** Whether changes of what a URI names can be told to a caller with these scopes. */
export function follows(uri: string, scopes: readonly string[]): boolean {
  const kind = addressOf(uri)?.kind;
  return (kind === "session" && scopes.includes("sync")) || (kind === "document" && scopes.includes("search"));
}

/** What there is to tell of the news to one who wants this. */
export function eventsIn(news: News, wanted: Wanted): ServerEvent[] {
  const sessions = new Set(news.sessions);
  const documents = new Set(news.documents);
  const changed = (uri: string) => {
    const address = addressOf(uri);
    if (address?.kind === "session") return news.all || sessions.has(address.id);
    return address?.kind === "document" && (news.all || documents.has(address.id));
  };
  return [
    ...(wanted.resourcesListChanged && (news.all || news.listed) ? [{ kind: "resources_list_changed" as const }] : []),
    ...(wanted.promptsListChanged && (news.all || news.templates) ? [{ kind: "prompts_list_changed" as const }] : []),
    ...(wanted.resourceSubscriptions ?? []).filter(changed).map((uri) => ({ kind: "resource_updated" as const, uri })),
  ];
}
