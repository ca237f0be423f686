import { beforeAll, describe, expect, it } from "vitest";
import { Accounts } from "../../src/auth/accounts.ts";
import { Grants } from "../../src/auth/oauth/grants.ts";
import { formOf, type PageReply, Person, settings, signedIn } from "../web/person.ts";
import { ORIGIN, rest } from "./client.ts";

const CONSENT = "/oauth/authorize";
const VERIFIER = "a-verifier-of-at-least-forty-three-characters-0123456789";
const accounts = new Accounts(settings);
let user: string;
let account: string;
let operator: { user: string; account: string };

beforeAll(async () => {
  ({ user, account } = await accounts.create({ name: "Ada", plan: "free" }));
  operator = await accounts.create({ name: "Op", plan: "enterprise", owner: true });
});

async function client(redirect = "https://app.test/callback", name = "Test App"): Promise<string> {
  const body = { redirect_uris: [redirect], client_name: name, token_endpoint_auth_method: "none" };
  const made = await rest(null, "POST", "/oauth/register", body);
  expect(made.status).toBe(201);
  return made.body.client_id;
}

async function authorizePath(id: string, changes: Record<string, string> = {}): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(VERIFIER));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: id,
    redirect_uri: "https://app.test/callback",
    state: "the state",
    scope: "chat search offline_access",
    resource: `${ORIGIN}/mcp`,
    code_challenge: Buffer.from(digest).toString("base64url"),
    code_challenge_method: "S256",
    ...changes,
  });
  return `${CONSENT}?${query}`;
}

const redeem = async (id: string, code: string, redirect = "https://app.test/callback") => {
  const form = {
    grant_type: "authorization_code",
    code,
    redirect_uri: redirect,
    client_id: id,
    code_verifier: VERIFIER,
  };
  const body = new URLSearchParams(form).toString();
  return rest(null, "POST", "/oauth/token", body, { "Content-Type": "application/x-www-form-urlencoded" });
};

const codeIn = (reply: PageReply): string => new URL(reply.to ?? "").searchParams.get("code") ?? "";

describe("consent", () => {
  it("shows who asks, for what, where it goes and in whose name", async () => {
    const person = await signedIn(user);
    const page = await person.get(await authorizePath(await client()));
    expect(page.status).toBe(200);
    for (const words of [
      "Test App",
      "its name is not verified",
      "<strong>app.test</strong>",
      "The MCP server",
      "Ask models, at your cost",
      "Search and read your documents and messages",
      "Stay connected while you are away",
      "Not you?",
    ]) {
      expect(page.text).toContain(words);
    }
    expect(page.text).not.toContain("Go on only if");
    const rest = await person.get(await authorizePath(await client(), { resource: `${ORIGIN}/v1` }));
    expect(rest.text).toContain("The REST API");
  });

  it("gives the client a code for what was ticked, on the account chosen", async () => {
    const id = await client();
    const person = await signedIn(user);
    const page = await person.get(await authorizePath(id));
    const done = await person.submit(page, CONSENT, { decision: "allow", scope: ["chat"] });
    const to = new URL(done.to ?? "");
    expect(`${to.origin}${to.pathname}`).toBe("https://app.test/callback");
    expect([to.searchParams.get("state"), to.searchParams.get("iss")]).toEqual(["the state", ORIGIN]);
    const tokens = await redeem(id, codeIn(done));
    expect([tokens.status, tokens.body.scope, tokens.body.refresh_token]).toEqual([200, "chat", undefined]);
    const [grant] = await new Grants(settings).list(user);
    expect(grant).toMatchObject({ client_name: "Test App", account, scopes: ["chat"], client_domain: null });
  });

  it.each([
    ["http://127.0.0.1:5173/cb", "127.0.0.1:5173", "a program on this computer"],
    ["cursor://anysphere.cursor-mcp/oauth/callback", "cursor://anysphere.cursor-mcp/oauth/callback", "opens cursor:"],
    ["com.example.app:/callback", "com.example.app:/callback", "opens com.example.app:"],
  ])("warns of %s and leads there", async (redirect, shown, warning) => {
    const person = await signedIn(user);
    const page = await person.get(await authorizePath(await client(redirect), { redirect_uri: redirect }));
    expect(page.text).toContain(`<strong>${shown}</strong>`);
    expect(page.text).toContain(warning);
    const done = await person.submit(page, CONSENT, { decision: "allow" });
    expect(done.to?.startsWith(`${redirect}?`)).toBe(true);
  });

  it("tells the client when it was denied", async () => {
    const person = await signedIn(user);
    const page = await person.get(await authorizePath(await client()));
    const denied = new URL((await person.submit(page, CONSENT, { decision: "deny" })).to ?? "");
    const { searchParams } = denied;
    expect(denied.origin).toBe("https://app.test");
    expect([
      searchParams.get("error"),
      searchParams.get("state"),
      searchParams.get("iss"),
      searchParams.get("code"),
    ]).toEqual(["access_denied", "the state", ORIGIN, null]);
  });

  it("asks who is there first, and comes back", async () => {
    const path = await authorizePath(await client());
    const person = new Person();
    const page = await person.get(path);
    expect([page.status, page.to]).toEqual([303, `/sign-in?next=${encodeURIComponent(path)}`]);
    const switched = await signedIn(user);
    const out = await switched.submit(await switched.get(path), "/sign-out");
    expect(out.to).toBe(`/sign-in?next=${encodeURIComponent(path)}`);
    const signIn = await switched.get(out.to ?? "");
    expect(new Map(formOf(signIn, "/sign-in/passkey")).get("next")).toBe(path);
  });

  it("keeps a hostile client name from being more than text", async () => {
    const name = `</bdi><script>alert(1)</script>"'\u202e gro.live \u0000&amp;${"x".repeat(500)}`;
    const person = await signedIn(user);
    const id = await client("https://app.test/callback", name);
    const page = await person.get(await authorizePath(id, { state: `"><script>alert(2)</script>` }));
    expect(page.status).toBe(200);
    expect(page.text).not.toMatch(/<script/);
    expect(page.text).not.toContain("\u202e");
    expect(page.text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(page.text).not.toContain("x".repeat(100));
    await redeem(id, codeIn(await person.submit(page, CONSENT, { decision: "allow" })));
    const listed = await person.get("/account");
    expect(listed.text).not.toMatch(/<script(?! src="\/assets\/passkey.js")/);
  });
});

describe("scopes of power", () => {
  const asked = { scope: "chat account admin" };

  it("are offered and granted to who has that power", async () => {
    const person = await signedIn(operator.user);
    const id = await client();
    const page = await person.get(await authorizePath(id, asked));
    // Offered, but not ticked for them.
    expect(page.text).toMatch(/value="admin"\s*>/);
    expect(page.text).toMatch(/value="account"\s+checked/);
    const allowed = { decision: "allow", scope: ["chat", "account", "admin"] };
    const tokens = await redeem(id, codeIn(await person.submit(page, CONSENT, allowed)));
    expect(tokens.body.scope.split(" ").sort()).toEqual(["account", "admin", "chat"]);
  });

  it.each([
    ["an owner of another account", "owner", ["account"], ["admin"]],
    ["a member", "member", [], ["account", "admin"]],
  ] as const)("are refused to %s, whatever the form says", async (_, role, offered, withheld) => {
    const somebody = await accounts.create({ name: "Some", plan: "free", role });
    const person = await signedIn(somebody.user);
    const page = await person.get(await authorizePath(await client(), asked));
    for (const scope of offered) expect(page.text).toContain(`value="${scope}"`);
    for (const scope of withheld) {
      expect(page.text).not.toContain(`value="${scope}"`);
      const forced = await person.submit(page, CONSENT, { decision: "allow", scope: ["chat", scope] });
      expect([forced.status, forced.to]).toEqual([400, null]);
    }
    // What was refused did not use the page up.
    expect(codeIn(await person.submit(page, CONSENT, { decision: "allow" }))).not.toBe("");
  });

  it("depend on the account chosen", async () => {
    const both = await accounts.create({ name: "Both", plan: "free", role: "member" });
    await accounts.create({ name: "Own", plan: "basic", user: both.user });
    const person = await signedIn(both.user);
    const page = await person.get(await authorizePath(await client(), asked));
    expect(page.text).toContain("On which account");
    expect(page.text).toContain("not on every account");
    const wrong = await person.submit(page, CONSENT, { decision: "allow", account: both.account });
    expect(wrong.status).toBe(400);
    const foreign = await person.submit(page, CONSENT, { decision: "allow", account: operator.account, scope: "chat" });
    expect(foreign.status).toBe(400);
    expect(codeIn(await person.submit(page, CONSENT, { decision: "allow" }))).not.toBe("");
  });

  it("leave only a no when there is nothing else", async () => {
    const person = await signedIn(user);
    const page = await person.get(await authorizePath(await client(), { scope: "admin offline_access" }));
    expect(page.text).not.toContain('value="allow"');
    expect(page.text).toContain('value="deny"');
  });

  it("are not given when the app did not ask for them, and never none at all", async () => {
    const person = await signedIn(operator.user);
    const page = await person.get(await authorizePath(await client()));
    expect((await person.submit(page, CONSENT, { decision: "allow", scope: [] })).status).toBe(400);
    expect((await person.submit(page, CONSENT, { decision: "allow", scope: "offline_access" })).status).toBe(400);
    expect((await person.submit(page, CONSENT, { decision: "allow", scope: "made-up" })).status).toBe(400);
    const more = await person.submit(page, CONSENT, { decision: "allow", scope: ["chat", "admin"] });
    expect([more.status, more.to]).toEqual([400, null]);
    expect(more.text).toContain("The app did not ask for all that was allowed");
  });
});

describe("consent is refused", () => {
  it.each([
    ["from another site", { "Sec-Fetch-Site": "cross-site", Origin: "https://evil.test" }],
    ["from a site beside it", { "Sec-Fetch-Site": "same-site", Origin: "https://x.waypost.test" }],
    ["with a foreign origin alone", { "Sec-Fetch-Site": "same-origin", Origin: "https://evil.test" }],
    ["as a text", { "Content-Type": "text/plain" }],
  ])("%s", async (_, headers) => {
    const person = await signedIn(user);
    const page = await person.get(await authorizePath(await client()));
    const sent = await person.post(CONSENT, formOf(page, CONSENT, { decision: "allow" }), headers);
    expect([sent.status, sent.to]).toEqual([403, null]);
    expect(codeIn(await person.submit(page, CONSENT, { decision: "allow" }))).not.toBe("");
  });

  it("a second time, also when both come at once", async () => {
    const person = await signedIn(user);
    const page = await person.get(await authorizePath(await client()));
    const both = await Promise.all([1, 2, 3].map(() => person.submit(page, CONSENT, { decision: "allow" })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400, 400]);
    const late = await person.submit(page, CONSENT, { decision: "allow" });
    expect([late.status, late.to]).toEqual([400, null]);
    expect(late.text).toContain("This sign-in cannot go on");
  });

  it("in another browser, in another session and with somebody else's handle", async () => {
    const person = await signedIn(user);
    const page = await person.get(await authorizePath(await client()));
    const fields = formOf(page, CONSENT, { decision: "allow" });
    const other = await signedIn(user);
    expect((await other.post(CONSENT, fields)).status).toBe(403);
    const otherPage = await other.get(await authorizePath(await client()));
    const handle = new Map(fields).get("handle") ?? "";
    const stolen = await other.submit(otherPage, CONSENT, { handle, decision: "allow" });
    expect([stolen.status, stolen.to]).toEqual([400, null]);
  });

  it("after signing out", async () => {
    const person = await signedIn(user);
    const page = await person.get(await authorizePath(await client()));
    await person.submit(await person.get("/account"), "/sign-out");
    const sent = await person.submit(page, CONSENT, { decision: "allow" });
    expect([sent.status, sent.to]).toEqual([403, null]);
  });

  it("inside a frame, and says so in its headers", async () => {
    const person = await signedIn(user);
    const path = await authorizePath(await client());
    expect((await person.get(path, { "Sec-Fetch-Dest": "iframe" })).status).toBe(403);
    const page = await person.get(path);
    expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(page.headers.get("x-frame-options")).toBe("DENY");
  });

  it.each([
    ["an unknown client", { client_id: "nobody" }, null],
    ["a redirect that is not the client's", { redirect_uri: "https://evil.test/cb" }, null],
    ["no PKCE", { code_challenge: "" }, "invalid_request"],
    ["plain PKCE", { code_challenge_method: "plain" }, "invalid_request"],
    ["a foreign resource", { resource: "https://evil.test/mcp" }, "invalid_target"],
    ["an implicit grant", { response_type: "token" }, "unsupported_response_type"],
  ])("for %s: to the client only when that is safe", async (_, changes, error) => {
    const person = await signedIn(user);
    const reply = await person.get(await authorizePath(await client(), changes));
    if (error === null) expect([reply.status, reply.to]).toEqual([400, null]);
    else {
      const to = new URL(reply.to ?? "");
      expect([to.origin, to.searchParams.get("error")]).toEqual(["https://app.test", error]);
    }
  });
});
