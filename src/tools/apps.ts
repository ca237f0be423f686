import * as z from "zod";
import { WaypostError } from "../errors.ts";
import { authorOf } from "../ledger/key_rules.ts";
import { defineTool } from "./define.ts";

/** What the caller's own user let in, and where they are signed in. REST only. */

const AppOutput = z.object({
  grant: z.string(),
  client_id: z.string(),
  client_name: z.string(),
  client_domain: z.string().nullable(),
  resource: z.string(),
  scopes: z.array(z.string()),
  account: z.string(),
  created_at: z.string(),
  last_used_at: z.string().nullable(),
  expires_at: z.string().nullable(),
});

export const listApps = defineTool({
  name: "list_apps",
  title: "List connected apps",
  description: "The apps your user let in, newest first: what each may do, and when it was last used.",
  scope: "account",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({}),
  output: z.object({ apps: z.array(AppOutput) }),
  rest: { method: "get", path: "/me/apps" },
  restOnly: true,
  run: async (call) => ({ apps: await call.grants.list(call.principal.user) }),
  text: ({ apps }) => apps.map((app) => `${app.grant} ${app.client_name}: ${app.scopes.join(", ")}`).join("\n"),
});

export const disconnectApp = defineTool({
  name: "disconnect_app",
  title: "Disconnect an app",
  description: "Ends one app's access from its next call on. Other apps, and other connections of the same app, stay.",
  scope: "account",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: false },
  input: z.strictObject({ grant: z.string().min(1).max(128).describe("The app's `grant`, from GET /v1/me/apps") }),
  output: z.object({ grant: z.string(), disconnected: z.boolean() }),
  rest: { method: "delete", path: "/me/apps/{grant}" },
  restOnly: true,
  run: async (call, { grant }) => {
    const { account, keyId } = call.principal;
    if (keyId !== `grant_${grant}`) await call.accounts.allow(account, authorOf(call.principal), "disconnect apps");
    const revoked = await call.grants.revoke(call.principal.user, grant);
    if (!revoked) throw new WaypostError("not_found", "Your user has no such app.");
    return { grant, disconnected: true };
  },
  text: ({ grant }) => `The app ${grant} is disconnected.`,
});

export const signOut = defineTool({
  name: "sign_out",
  title: "Sign out everywhere",
  description:
    "Ends every browser session of your user and disconnects every app, from the next call on. API keys stay: revoke those one by one.",
  scope: "account",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({}),
  output: z.object({ sessions: z.number().int(), apps: z.number().int() }),
  rest: { method: "post", path: "/me/sign-out" },
  restOnly: true,
  run: async (call) => {
    const { account, user } = call.principal;
    await call.accounts.allow(account, authorOf(call.principal), "sign its user out");
    const [sessions, apps] = await Promise.all([call.sessions.endAll(user), call.grants.revokeAll(user)]);
    return { sessions, apps };
  },
  text: ({ sessions, apps }) => `${sessions} sessions ended, ${apps} apps disconnected.`,
});
