import { lazily } from "../lazily.ts";
import type { Tool } from "./define.ts";

/**
 * Where each tool is found, in the order of the registry: over REST, and in which module. A tool's schemas cost more to make
 * than most calls cost to answer, so a call loads the tool it names and no other. A test compares this with the registry.
 */
export interface Place extends Pick<Tool, "name" | "dialect"> {
  rest: Tool["rest"];
  load: () => Promise<Tool>;
}

type More = Pick<Tool, "dialect"> & Pick<Tool["rest"], "slashes">;

function at(
  name: string,
  rest: `${Tool["rest"]["method"]} /${string}`,
  load: () => Promise<unknown>,
  more: More = {},
): Place {
  const [method, path] = rest.split(" ") as [Tool["rest"]["method"], Tool["rest"]["path"]];
  const { slashes, dialect } = more;
  return {
    name,
    rest: { method, path, ...(slashes ? { slashes } : {}) },
    ...(dialect ? { dialect } : {}),
    load: lazily(load as () => Promise<Tool>),
  };
}

export const places: readonly Place[] = [
  at("chat", "post /chat", async () => (await import("./chat.ts")).chat),
  at("search", "post /search", async () => (await import("./search.ts")).search),
  at("fetch", "post /fetch", async () => (await import("./fetch.ts")).fetch),
  at("add_documents", "post /documents", async () => (await import("./add_documents.ts")).addDocuments),
  at("delete_document", "post /documents/delete", async () => (await import("./delete_document.ts")).deleteDocument),
  at("sync_session", "post /sync", async () => (await import("./sync_session.ts")).syncSession),
  at("list_sessions", "get /sessions", async () => (await import("./list_sessions.ts")).listSessions),
  at("list_documents", "get /documents", async () => (await import("./list_documents.ts")).listDocuments),
  at("usage", "get /usage", async () => (await import("./usage.ts")).usage),
  at("report_usage", "get /usage/report", async () => (await import("./usage_report.ts")).reportUsage),
  at("export_usage", "get /usage.csv", async () => (await import("./usage_csv.ts")).exportUsage),
  at("read_call", "get /usage/calls/{call_id}", async () => (await import("./calls.ts")).readCall),
  at("quota", "get /quota", async () => (await import("./quota.ts")).quota),
  at("whoami", "get /me", async () => (await import("./whoami.ts")).whoami),
  at("list_apps", "get /me/apps", async () => (await import("./apps.ts")).listApps),
  at("disconnect_app", "delete /me/apps/{grant}", async () => (await import("./apps.ts")).disconnectApp),
  at("sign_out", "post /me/sign-out", async () => (await import("./apps.ts")).signOut),
  at("create_account", "post /admin/accounts", async () => (await import("./accounts.ts")).createAccount),
  at("read_account", "get /admin/accounts/{account}", async () => (await import("./accounts.ts")).readAccount),
  at("set_plan", "post /admin/accounts/{account}/plan", async () => (await import("./accounts.ts")).setPlan),
  at("add_credit", "post /admin/accounts/{account}/credit", async () => (await import("./accounts.ts")).addCredit),
  at("adjust_credit", "post /admin/accounts/{account}/adjust", async () => (await import("./credit.ts")).adjustCredit),
  at(
    "list_unmatched_payments",
    "get /admin/payments/unmatched",
    async () => (await import("./credit.ts")).listUnmatchedPayments,
  ),
  at("read_balance", "get /balance", async () => (await import("./credit.ts")).readBalance),
  at("top_up", "post /balance/top-up", async () => (await import("./top_up.ts")).topUp),
  at("set_auto_top_up", "patch /balance/auto-top-up", async () => (await import("./top_up.ts")).setAutoTopUp),
  at("ingest_usage", "post /usage/events", async () => (await import("./ingest.ts")).ingestUsage),
  at("create_key", "post /keys", async () => (await import("./keys.ts")).createKey),
  at("list_keys", "get /keys", async () => (await import("./keys.ts")).listKeys),
  at("update_key", "patch /keys/{key_id}", async () => (await import("./keys.ts")).updateKey),
  at("rotate_key", "post /keys/{key_id}/rotate", async () => (await import("./keys.ts")).rotateKey),
  at("revoke_key", "delete /keys/{key_id}", async () => (await import("./keys.ts")).revokeKey),
  at("list_users", "get /admin/users", async () => (await import("./users.ts")).listUsers),
  at("invite_owner", "post /admin/accounts/{account}/invitation", async () => (await import("./users.ts")).inviteOwner),
  at("list_budgets", "get /budgets", async () => (await import("./budgets.ts")).listBudgets),
  at("set_budget", "post /budgets/{budget_id}", async () => (await import("./budgets.ts")).setBudget),
  at("delete_budget", "delete /budgets/{budget_id}", async () => (await import("./budgets.ts")).deleteBudget),
  at("list_notices", "get /notices", async () => (await import("./notices.ts")).listNotices),
  at("add_webhook", "post /webhooks", async () => (await import("./notices.ts")).addWebhook),
  at("list_webhooks", "get /webhooks", async () => (await import("./notices.ts")).listWebhooks),
  at("delete_webhook", "delete /webhooks/{webhook_id}", async () => (await import("./notices.ts")).deleteWebhook),
  at("list_plans", "get /plans", async () => (await import("./plans.ts")).listPlans),
  at("list_models", "get /models", async () => (await import("./models.ts")).listModels),
  at("read_model", "get /models/{model}", async () => (await import("./models.ts")).readModel, { slashes: true }),
  at("read_preferences", "get /preferences", async () => (await import("./models_preferred.ts")).readPreferences),
  at("set_preferences", "patch /preferences", async () => (await import("./models_preferred.ts")).setPreferences),
  at("save_template", "post /templates", async () => (await import("./templates.ts")).saveTemplate),
  at("list_templates", "get /templates", async () => (await import("./templates.ts")).listTemplates),
  at("read_template", "get /templates/{name}", async () => (await import("./templates.ts")).readTemplate),
  at("render_template", "post /templates/{name}/render", async () => (await import("./templates.ts")).renderTemplate),
  at("delete_template", "delete /templates/{name}", async () => (await import("./templates.ts")).deleteTemplate),
  at("enhance_prompt", "post /prompts/enhance", async () => (await import("./enhance_prompt.ts")).enhancePrompt),
  at(
    "list_moderation_flags",
    "get /moderation/flags",
    async () => (await import("./moderation_flags.ts")).listModerationFlags,
  ),
  at(
    "review_moderation_flag",
    "post /moderation/flags/{flag_id}/review",
    async () => (await import("./moderation_flags.ts")).reviewModerationFlag,
  ),
  at(
    "verify_audit",
    "get /admin/accounts/{account}/audit/verify",
    async () => (await import("./books.ts")).verifyAudit,
  ),
  at("read_reconciliation", "get /admin/reconciliation", async () => (await import("./books.ts")).readReconciliation),
  at(
    "chat_completions",
    "post /chat/completions",
    async () => (await import("./dialects/chat_completions.ts")).chatCompletions,
    { dialect: "openai" },
  ),
  at("responses", "post /responses", async () => (await import("./dialects/responses.ts")).responses, {
    dialect: "openai",
  }),
  at("messages", "post /messages", async () => (await import("./dialects/messages.ts")).messages, {
    dialect: "anthropic",
  }),
  at(
    "count_tokens",
    "post /messages/count_tokens",
    async () => (await import("./dialects/count_tokens.ts")).countTokens,
    { dialect: "anthropic" },
  ),
  at("embeddings", "post /embeddings", async () => (await import("./dialects/embeddings.ts")).embeddings, {
    dialect: "openai",
  }),
];

/** @throws Error when there is none of this name */
export async function toolAt(name: string): Promise<Tool> {
  const place = places.find((each) => each.name === name);
  if (!place) throw new Error(`${name} is not a tool`);
  return place.load();
}
