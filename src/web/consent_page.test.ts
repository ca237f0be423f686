import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Env } from "../env.ts";
import { type ConsentFacts, consentBody } from "./consent_page.ts";
import { Visit } from "./visit.ts";

const facts = (client: Partial<ConsentFacts["client"]>): ConsentFacts => ({
  request: {
    responseType: "code",
    clientId: "https://app.example/client.json",
    redirectUri: "https://app.example/callback",
    scope: ["chat"],
    state: "",
    resource: "https://waypost.test/mcp",
  },
  client: {
    clientId: "https://app.example/client.json",
    clientName: "An app",
    redirectUri: "https://app.example/callback",
    redirectHost: "app.example",
    redirectIsLoopback: false,
    scope: ["chat"],
    ...client,
  },
  user: { id: "usr_1", name: "Ada", email: null, created_at: "2026-01-01T00:00:00.000Z", deleted_at: null },
  memberships: [{ account: "a", name: "Ada's", plan: "free", role: "owner", operator: false }],
  scopes: ["chat"],
  handle: "handle",
  here: "/oauth/authorize?x",
});

const shown = async (client: Partial<ConsentFacts["client"]>): Promise<string> => {
  const visit = await Visit.of(new Request("https://waypost.test/oauth/authorize"), env as unknown as Env);
  return String(await consentBody(visit, facts(client)));
};

describe("the consent page", () => {
  it("shows the domain that published the app only when it is verified", async () => {
    const verified = await shown({ clientDomain: "app.example" });
    expect(verified).toContain("Published by</span> <strong>app.example</strong>");
    expect(verified).not.toContain("not verified");
    expect(await shown({})).toContain("its name is not verified");
  });

  it("shows look-alike hosts in the form that gives them away, and ports", async () => {
    expect(await shown({ redirectUri: "https://аpp.example/cb" })).toContain("<strong>xn--pp-6kc.example</strong>");
    expect(await shown({ redirectUri: "https://app.example:8443/cb" })).toContain("<strong>app.example:8443</strong>");
  });

  it("names an app that has no readable name by its id", async () => {
    expect(await shown({ clientName: "\u202e\u200b" })).toContain("<bdi>https://app.example/client.json</bdi>");
  });
});
