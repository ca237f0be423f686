import type { Context } from "hono";
import { html } from "hono/html";
import { Directory, type ExternalIdentity, type Membership, type User } from "../auth/directory.ts";
import { type ConnectedApp, Grants } from "../auth/oauth/grants.ts";
import { type PasskeyInfo, Passkeys } from "../auth/passkeys.ts";
import { SCOPES } from "../auth/scopes.ts";
import { type PresentedSession, type Session, Sessions } from "../auth/sessions.ts";
import { type Provider, providers } from "../auth/upstream/providers.ts";
import type { Http } from "../gate/route.ts";
import { type Html, hidden, plainText, time } from "./layout.ts";
import { passkeyForm } from "./passkey_form.ts";
import { showPage } from "./respond.ts";
import { providerForms } from "./sign_in.ts";
import type { Visit } from "./visit.ts";

/** Everything a person can see and end about themselves. */
export async function accountPage(c: Context<Http>, visit: Visit, signedIn: PresentedSession): Promise<Response> {
  const { user, session } = signedIn;
  const directory = new Directory(c.env);
  const [memberships, identities, passkeys, apps, sessions] = await Promise.all([
    directory.membershipsOf(user.id),
    directory.identitiesOf(user.id),
    new Passkeys(c.env).list(user.id),
    new Grants(c.env).list(user.id),
    new Sessions(c.env).list(user.id),
  ]);
  const token = await hidden(visit);
  const known = providers(c.env);
  const addPasskey = await passkeyForm(c, visit, {
    kind: "create",
    action: "/account/passkeys",
    options: "/account/passkeys/options",
    label: "Add a passkey",
    inputs: html`<label class="field">A name for it
      <input type="text" name="name" required maxlength="100" value="Passkey"></label>`,
  });
  const body = html`<h1><bdi>${user.name}</bdi></h1>
    ${person(user, session, known)}
    <form method="post" action="/sign-out">${token}<button class="secondary">Sign out</button></form>
    <h2>Accounts</h2>
    ${accountList(memberships)}
    <h2>Connected apps</h2>
    ${appList(apps, memberships, token)}
    <h2>Passkeys</h2>
    ${passkeyList(passkeys, token)}
    ${addPasskey}
    ${identities.length + known.length > 0 ? html`<h2>Other ways to sign in</h2>${identityList(identities, known)}` : null}
    ${await providerForms(c, visit, "Add", { link: "1", next: "/account" })}
    <h2>Signed in</h2>
    ${sessionList(sessions, session, known)}
    <form method="post" action="/account/sign-out-everywhere" class="row">${token}
      <button class="secondary">Sign out everywhere</button>
      <span class="quiet">Ends every session, this one too, and disconnects every app. API keys stay.</span></form>`;
  return showPage(c, visit, { title: "Your account", passkeys: true, body });
}

function person(user: User, session: Session, known: readonly Provider[]): Html {
  return html`<dl>
    ${user.email === null ? null : html`<dt>E-mail</dt><dd>${user.email}</dd>`}
    <dt>User</dt><dd><code>${user.id}</code></dd>
    <dt>Signed in</dt><dd>with ${methodName(session.how, known)}, ${time(session.started_at)}</dd>
  </dl>`;
}

function accountList(memberships: readonly Membership[]): Html {
  return html`<ul class="plain">${memberships.map(
    ({ account, name, plan, role, operator }) => html`<li><span><bdi>${name}</bdi> <code>${account}</code></span>
      <span class="quiet">plan ${plan}, ${role}${operator ? ", runs this installation" : null}</span></li>`,
  )}</ul>`;
}

function appList(apps: readonly ConnectedApp[], memberships: readonly Membership[], token: Html): Html {
  if (apps.length === 0)
    return html`<p class="quiet">No app is connected. Apps ask for access when you add this server to them.</p>`;
  const accountName = (id: string) => memberships.find(({ account }) => account === id)?.name ?? id;
  return html`<ul class="plain">${apps.map(
    (app) => html`<li><div>
        <strong><bdi>${plainText(app.client_name)}</bdi></strong>
        <span class="quiet">${app.client_domain ?? "name not verified"}</span><br>
        ${app.scopes.map((scope, i) => html`${i > 0 ? ", " : ""}<span title="${SCOPES[scope]}">${scope}</span>`)}
        <br><span class="quiet">on <bdi>${accountName(app.account)}</bdi> through ${app.resource.endsWith("/v1") ? "REST" : "MCP"},
          since ${time(app.created_at)}, ${app.last_used_at ? html`last used ${time(app.last_used_at)}` : "not used yet"}</span></div>
      <form method="post" action="/account/apps/${encodeURIComponent(app.grant)}/revoke">${token}
        <button class="secondary small">Disconnect</button></form></li>`,
  )}</ul>`;
}

function passkeyList(passkeys: readonly PasskeyInfo[], token: Html): Html {
  return html`<ul class="plain">${passkeys.map(
    ({ id, name, created_at, last_used_at }) => html`<li><span><bdi>${name}</bdi>
        <span class="quiet">added ${time(created_at)}${last_used_at ? html`, last used ${time(last_used_at)}` : null}</span></span>
      <form method="post" action="/account/passkeys/remove">${token}
        <input type="hidden" name="passkey" value="${id}"><button class="secondary small">Remove</button></form></li>`,
  )}</ul>`;
}

function identityList(identities: readonly ExternalIdentity[], known: readonly Provider[]): Html {
  return html`<ul class="plain">${identities.map(
    ({ issuer, subject, label }) =>
      html`<li><span>${known.find((provider) => provider.issuer === issuer)?.name ?? issuer}</span>
        <span class="quiet"><bdi>${plainText(label ?? subject)}</bdi></span></li>`,
  )}</ul>`;
}

function sessionList(sessions: readonly Session[], current: Session, known: readonly Provider[]): Html {
  return html`<ul class="plain">${sessions.map(
    ({ id, how, started_at, fresh_at }) => html`<li><span>with ${methodName(how, known)}, ${time(started_at)}</span>
      <span class="quiet">${id === current.id ? "this browser" : html`active ${time(fresh_at)}`}</span></li>`,
  )}</ul>`;
}

const methodName = (how: string, known: readonly Provider[]): string =>
  how === "passkey" ? "a passkey" : (known.find(({ id }) => id === how)?.name ?? how);
