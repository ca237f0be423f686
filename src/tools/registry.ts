import { addCredit, createAccount, readAccount, setPlan } from "./accounts.ts";
import { addDocuments } from "./add_documents.ts";
import { disconnectApp, listApps, signOut } from "./apps.ts";
import { readReconciliation, verifyAudit } from "./books.ts";
import { deleteBudget, listBudgets, setBudget } from "./budgets.ts";
import { readCall } from "./calls.ts";
import { chat } from "./chat.ts";
import { adjustCredit, listUnmatchedPayments, readBalance } from "./credit.ts";
import type { Tool } from "./define.ts";
import { deleteDocument } from "./delete_document.ts";
import { chatCompletions } from "./dialects/chat_completions.ts";
import { countTokens } from "./dialects/count_tokens.ts";
import { embeddings } from "./dialects/embeddings.ts";
import { messages } from "./dialects/messages.ts";
import { responses } from "./dialects/responses.ts";
import { enhancePrompt } from "./enhance_prompt.ts";
import { fetch } from "./fetch.ts";
import { ingestUsage } from "./ingest.ts";
import { createKey, listKeys, revokeKey, rotateKey, updateKey } from "./keys.ts";
import { listDocuments } from "./list_documents.ts";
import { listSessions } from "./list_sessions.ts";
import { listModels, readModel } from "./models.ts";
import { readPreferences, setPreferences } from "./models_preferred.ts";
import { listModerationFlags, reviewModerationFlag } from "./moderation_flags.ts";
import { addWebhook, deleteWebhook, listNotices, listWebhooks } from "./notices.ts";
import { listPlans } from "./plans.ts";
import { quota } from "./quota.ts";
import { search } from "./search.ts";
import { syncSession } from "./sync_session.ts";
import { deleteTemplate, listTemplates, readTemplate, renderTemplate, saveTemplate } from "./templates.ts";
import { setAutoTopUp, topUp } from "./top_up.ts";
import { usage } from "./usage.ts";
import { exportUsage } from "./usage_csv.ts";
import { reportUsage } from "./usage_report.ts";
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
  listDocuments,
  usage,
  reportUsage,
  exportUsage,
  readCall,
  quota,
  whoami,
  listApps,
  disconnectApp,
  signOut,
  createAccount,
  readAccount,
  setPlan,
  addCredit,
  adjustCredit,
  listUnmatchedPayments,
  readBalance,
  topUp,
  setAutoTopUp,
  ingestUsage,
  createKey,
  listKeys,
  updateKey,
  rotateKey,
  revokeKey,
  listUsers,
  inviteOwner,
  listBudgets,
  setBudget,
  deleteBudget,
  listNotices,
  addWebhook,
  listWebhooks,
  deleteWebhook,
  listPlans,
  listModels,
  readModel,
  readPreferences,
  setPreferences,
  saveTemplate,
  listTemplates,
  readTemplate,
  renderTemplate,
  deleteTemplate,
  enhancePrompt,
  listModerationFlags,
  reviewModerationFlag,
  verifyAudit,
  readReconciliation,
  chatCompletions,
  responses,
  messages,
  countTokens,
  embeddings,
] as unknown as Tool[];

/** The tools an agent is shown. */
export const agentTools: readonly Tool[] = tools.filter((tool) => !tool.restOnly);

export const toolNamed = (name: string): Tool | undefined => agentTools.find((tool) => tool.name === name);
