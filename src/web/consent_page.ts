import type { AuthRequest, ConsentDescription } from "@cloudflare/workers-oauth-provider";
import { html } from "hono/html";
import type { Membership, User } from "../auth/directory.ts";
import { SCOPES, type Scope } from "../auth/scopes.ts";
import { grantable } from "./grantable.ts";
import { type Html, hidden, plainText } from "./layout.ts";
import type { Visit } from "./visit.ts";

export interface ConsentFacts {
  request: AuthRequest;
  client: ConsentDescription;
  user: User;
  memberships: readonly Membership[];
  /** Asked for and grantable on at least one of the accounts. */
  scopes: readonly Scope[];
  /** The library's one-time handle of this page. */
  handle: string;
  /** Path of this page, to come back to as somebody else. */
  here: string;
}

/** What the client is called on our pages: its own word, made harmless. */
export const clientNameOf = ({ clientName, clientId }: ConsentDescription): string =>
  plainText(clientName) || plainText(clientId) || "An app without a name";

/** Who asks, for what, where the tokens go, and in whose name. */
export async function consentBody(visit: Visit, facts: ConsentFacts): Promise<Html> {
  const { client, user, scopes, handle, here } = facts;
  const name = clientNameOf(client);
  const nothing = scopes.length === 0;
  return html`<h1>Allow <bdi>${name}</bdi> to use Waypost for you?</h1>
    <dl>
      <dt>App</dt><dd><strong><bdi>${name}</bdi></strong><br>${publisher(client)}</dd>
      <dt>Sends access to</dt><dd><strong>${destination(client)}</strong></dd>
      <dt>Reaches</dt><dd>${surface(facts.request)}</dd>
    </dl>
    ${destinationWarning(client)}
    <form method="post" action="/oauth/authorize">
      ${await hidden(visit, { handle })}
      ${accountChoice(facts.memberships)}
      ${nothing ? html`<p class="warning">It asks for what you cannot allow on any of your accounts.</p>` : scopeChoice(facts)}
      <p class="row">
        ${nothing ? null : html`<button name="decision" value="allow">Allow</button>`}
        <button class="secondary" name="decision" value="deny" formnovalidate>Deny</button>
      </p>
    </form>
    <form method="post" action="/sign-out" class="row">
      ${await hidden(visit, { next: here })}
      <span class="quiet">Signed in as <bdi>${user.name}</bdi>. Not you?</span>
      <button class="secondary small">Switch</button>
    </form>`;
}

function publisher({ clientDomain }: ConsentDescription): Html {
  return clientDomain
    ? html`<span class="quiet">Published by</span> <strong>${clientDomain}</strong>`
    : html`<span class="quiet">This app registered itself: its name is not verified.</span>`;
}

const isWeb = (url: URL): boolean => url.protocol === "https:" || url.protocol === "http:";

/** The host for web addresses; an app's own address has none that means anything, so it is shown whole. */
function destination({ redirectUri }: ConsentDescription): string {
  const url = new URL(redirectUri);
  return isWeb(url) ? url.host : plainText(redirectUri, 300);
}

function destinationWarning({ redirectUri, redirectIsLoopback }: ConsentDescription): Html | null {
  const url = new URL(redirectUri);
  if (isWeb(url) && !redirectIsLoopback) return null;
  const where = isWeb(url) ? "a program on this computer" : `whichever app opens ${url.protocol} addresses here`;
  return html`<p class="warning"><strong>This sends access to ${where}.</strong> Go on only if you have just started to
    sign in from it yourself.</p>`;
}

const surface = ({ resource }: AuthRequest): string =>
  resource?.endsWith("/v1") ? "The REST API (for programs)" : "The MCP server (for agents and IDEs)";

function accountChoice(memberships: readonly Membership[]): Html {
  const [only] = memberships;
  if (memberships.length === 1 && only) {
    return html`<p>On the account <strong><bdi>${only.name}</bdi></strong> (plan ${only.plan}).
      <input type="hidden" name="account" value="${only.account}"></p>`;
  }
  return html`<fieldset><legend>On which account</legend>${memberships.map(
    ({ account, name, plan, role }, i) => html`<label>
      <input type="radio" name="account" value="${account}" required ${i === 0 ? "checked" : ""}>
      <span><bdi>${name}</bdi> <span class="quiet">plan ${plan}, you are ${role}</span></span></label>`,
  )}</fieldset>`;
}

function scopeChoice({ scopes, memberships }: ConsentFacts): Html {
  return html`<fieldset><legend>It may</legend>${scopes.map(
    // What reaches beyond the account is allowed by a deliberate tick, whatever the app asks for.
    (scope) => html`<label><input type="checkbox" name="scope" value="${scope}" ${scope === "admin" ? null : "checked"}>
      <span>${SCOPES[scope]} <code>${scope}</code>${
        memberships.every((membership) => grantable(scope, membership))
          ? null
          : html` <span class="quiet">not on every account</span>`
      }</span></label>`,
  )}</fieldset>`;
}
