import type { Context } from "hono";
import { html } from "hono/html";
import type { UpstreamFailureKind } from "../auth/upstream/failure.ts";
import type { Provider } from "../auth/upstream/providers.ts";
import type { SignInOutcome } from "../auth/upstream/sign_in.ts";
import type { Purpose } from "../auth/upstream/transaction.ts";
import { requestIdOf } from "../gate/headers.ts";
import type { Http } from "../gate/route.ts";
import type { Html } from "./layout.ts";
import { type PageOptions, showPage } from "./respond.ts";
import type { Visit } from "./visit.ts";

type Refusal = Exclude<SignInOutcome["kind"], "user">;

interface Words {
  status: NonNullable<PageOptions["status"]>;
  title: (name: string) => string;
  text: (name: string) => string;
}

const FAILURES: Record<UpstreamFailureKind, Words> = {
  denied: {
    status: 403,
    title: (name) => `${name} did not let you in`,
    text: (name) => `You, or the rules there, declined the sign-in at ${name}. Nothing was changed here.`,
  },
  unreachable: {
    status: 502,
    title: (name) => `${name} cannot be reached`,
    text: (name) => `${name} does not answer at the moment. Try again in a while, or sign in another way.`,
  },
  slow: {
    status: 504,
    title: (name) => `${name} took too long`,
    text: (name) => `${name} did not answer in time. Try again, or sign in another way.`,
  },
  nonsense: {
    status: 502,
    title: (name) => `${name} answered with something unexpected`,
    text: (name) =>
      `The answer of ${name} could not be read. Try again; if it stays so, tell the operator of this server.`,
  },
  refused: {
    status: 502,
    title: (name) => `${name} did not accept this server`,
    text: (name) =>
      `${name} refused the request of this server. Try again; if it stays so, the operator has to check the settings of ${name} here.`,
  },
  untrusted: {
    status: 400,
    title: (name) => `This sign-in does not come from ${name}`,
    text: (name) =>
      `What came back does not prove that it is ${name}'s answer to this sign-in, so it was not accepted. Begin again from here.`,
  },
  expired: {
    status: 400,
    title: () => "This sign-in is over",
    text: () =>
      "It was finished before, took longer than ten minutes, or was begun in another browser. Begin again from here.",
  },
};

const REFUSALS: Record<Refusal, Words> = {
  nobody: {
    status: 403,
    title: (name) => `No user here signs in with this ${name} account`,
    text: (name) =>
      `New users are invited here: ask for an invitation link. If you are a user already, sign in as you always do and add ${name} on your account page.`,
  },
  taken: {
    status: 409,
    title: (name) => `This ${name} account belongs to another user`,
    text: (name) => `Somebody else here signs in with it. Use another ${name} account, or sign in as that user.`,
  },
  invitation_spent: {
    status: 410,
    title: () => "The invitation cannot be used any more",
    text: () => "It was used meanwhile, or its time is over. Ask for a new link.",
  },
};

/** Why the provider's answer came to nothing, with the way to try again. */
export function failurePage(
  c: Context<Http>,
  visit: Visit,
  provider: Provider,
  purpose: Purpose | null,
  kind: UpstreamFailureKind,
): Promise<Response> {
  return show(c, visit, provider, purpose, FAILURES[kind]);
}

/** Why somebody who proved who they are does not get in as that. */
export function refusalPage(
  c: Context<Http>,
  visit: Visit,
  provider: Provider,
  purpose: Purpose,
  kind: Refusal,
): Promise<Response> {
  return show(c, visit, provider, purpose, REFUSALS[kind]);
}

function show(
  c: Context<Http>,
  visit: Visit,
  { name }: Provider,
  purpose: Purpose | null,
  { status, title, text }: Words,
): Promise<Response> {
  const body = html`<h1>${title(name)}</h1>
    <p>${text(name)}</p>
    ${again(purpose)}
    <p class="quiet">${requestIdOf(c.req.raw.headers)}</p>`;
  return showPage(c, visit, { title: title(name), status, popup: true, body });
}

/** Back to where it began. An invitation's link is a secret, so the page does not repeat it. */
function again(purpose: Purpose | null): Html {
  if (purpose?.linkTo) return html`<p><a class="button" href="/account">Back to your account</a></p>`;
  if (purpose?.invitation) return html`<p>To try again, open your invitation link once more.</p>`;
  const next = purpose ? `?next=${encodeURIComponent(purpose.next)}` : "";
  return html`<p><a class="button" href="/sign-in${next}">Try again</a></p>`;
}
