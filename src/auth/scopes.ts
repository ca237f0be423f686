/** Every scope there is, with what it allows in words. A tool declares one. */
export const SCOPES = {
  chat: "Ask models, at your cost",
  usage: "See usage, limits and balance",
  sync: "Read and change your sessions",
  search: "Search and read your documents and messages",
  "documents:write": "Add and delete documents",
  "usage:ingest": "Report usage that happened elsewhere, at your cost",
  account: "Manage the account's API keys, and buy credit",
  admin: "Create accounts and act for any of them",
  offline_access: "Stay connected while you are away",
} as const;

export type Scope = keyof typeof SCOPES;
export const SCOPE_NAMES = Object.keys(SCOPES) as [Scope, ...Scope[]];
/** What a key gets when nothing else is asked: all that concerns its own account's work. */
export const DEFAULT_KEY_SCOPES: readonly Scope[] = ["chat", "usage", "sync", "search", "documents:write"];
