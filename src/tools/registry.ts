import { addCredit, createAccount, readAccount, setPlan } from "./accounts.ts";
import { addDocuments } from "./add_documents.ts";
import { disconnectApp, listApps, signOut } from "./apps.ts";
import { chat } from "./chat.ts";
import type { Tool } from "./define.ts";
import { deleteDocument } from "./delete_document.ts";
import { fetch } from "./fetch.ts";
import { createKey, listKeys, revokeKey, rotateKey, updateKey } from "./keys.ts";
import { listSessions } from "./list_sessions.ts";
import { search } from "./search.ts";
import { syncSession } from "./sync_session.ts";
import { usage } from "./usage.ts";
import { inviteOwner, listUsers } from "./users.ts";
import { whoami } from "./whoami.ts";

/** Every capability of the platform. Both doors and the OpenAPI document are derived from this list. */
export const tools: readonly Tool[] = [
  chat,
  search,
  fetch,
  addDocuments,
  deleteDocument,
  syncSession,
  listSessions,
  usage,
  whoami,
  listApps,
  disconnectApp,
  signOut,
  createAccount,
  readAccount,
  setPlan,
  addCredit,
  createKey,
  listKeys,
  updateKey,
  rotateKey,
  revokeKey,
  listUsers,
  inviteOwner,
] as unknown as Tool[];

/** The tools an agent is shown. */
export const agentTools: readonly Tool[] = tools.filter((tool) => !tool.restOnly);

export const toolNamed = (name: string): Tool | undefined => agentTools.find((tool) => tool.name === name);
