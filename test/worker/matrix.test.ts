import { env, SELF } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { Sessions } from "../../src/auth/sessions.ts";
import type { Env } from "../../src/env.ts";
import type { Route } from "../../src/gate/route.ts";
import { identityRoutes } from "../../src/identity_routes.ts";
import { restRoutes } from "../../src/rest_routes.ts";
import { routes as operatingRoutes } from "../../src/routes.ts";
import { agentTools } from "../../src/tools/registry.ts";
import { account, ORIGIN, owner, rest } from "./client.ts";
import { configure, newKey, publishing } from "./jwt_issuer.ts";
import { client, connect } from "./oauth_flow.ts";
import { sendMcp, toolCall } from "./refusal.ts";

/**
 * Every kind of credential on every surface. The rows are the routes and tools there are, so that one that is added is held
 * to its guard without a word here.
 */

const routes = [...operatingRoutes, ...restRoutes, ...identityRoutes];

const KINDS = [
  "none",
  "API key",
  "OAuth for /mcp",
  "OAuth for /v1",
  "external JWT",
  "cookie",
  "refresh token",
  "nonsense",
] as const;
type Kind = (typeof KINDS)[number];

let headersOf: Record<Kind, Record<string, string>>;
const issuerOfWebhooks = "https://clerk.example";
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

beforeAll(async () => {
  const mine = await account();
  const { user } = (await rest(await owner(), "GET", `/v1/admin/accounts/${mine.account}`)).body;
  const who = { user, account: mine.account };
  const app = await client();
  const forMcp = await connect(who, { client: app, resource: `${ORIGIN}/mcp` });
  const forV1 = await connect(who, { client: app, resource: `${ORIGIN}/v1` });
  Object.assign(env, {
    CLERK_ISSUER: issuerOfWebhooks,
    CLERK_WEBHOOK_SECRET: "whsec_dGhlIHNlY3JldCBvZiB0aGUgbWF0cml4",
    STRIPE_SECRET_KEY: "sk_test_key_of_the_matrix",
    STRIPE_WEBHOOK_SECRET: "whsec_of_the_matrix",
  });
  const signing = await newKey("ES256", "matrix");
  const issuer = await publishing(signing);
  configure(issuer.setting({ algorithms: ["ES256"] }));
  const cookie = (await new Sessions(env as unknown as Env).start(user, "passkey")).split(";")[0] as string;
  headersOf = {
    none: {},
    "API key": bearer(mine.key),
    "OAuth for /mcp": bearer(forMcp.access_token),
    "OAuth for /v1": bearer(forV1.access_token),
    "external JWT": bearer(await issuer.token(signing)),
    cookie: { Cookie: cookie },
    "refresh token": bearer(forV1.refresh_token),
    nonsense: bearer("not-a-credential"),
  };
});

/** Which kinds get past "who are you" where bearers count. What the call then comes to is other tests' matter. */
const KNOWN: Record<"mcp" | "v1", readonly Kind[]> = {
  mcp: ["API key", "OAuth for /mcp"],
  v1: ["API key", "OAuth for /v1", "external JWT"],
};

const at = (route: Route) => `${route.method} ${route.path}`;

function ask({ method, path }: Route, kind: Kind): Promise<Response> {
  return SELF.fetch(`${ORIGIN}${path.replace(/:\w+/g, "x")}`, {
    method,
    redirect: "manual",
    headers: { ...headersOf[kind], ...(method === "GET" ? {} : { "Content-Type": "application/json" }) },
    ...(method === "GET" || method === "DELETE" ? {} : { body: "{}" }),
  });
}

const refusedAs = (response: Response) => [response.status, response.headers.get("www-authenticate") !== null];

describe("/v1", () => {
  const bearerRoutes = routes.filter(({ guard }) => guard === "bearer");
  it("is every route that takes a bearer, and nothing else", () => {
    expect(routes.filter(({ path }) => path.startsWith("/v1")).map(at)).toEqual(bearerRoutes.map(at));
    expect(bearerRoutes.length).toBeGreaterThan(15);
  });

  it.each(bearerRoutes.map((route) => [at(route), route] as const))("%s", async (_, route) => {
    for (const kind of KINDS) {
      const response = await ask(route, kind);
      await response.text();
      if (KNOWN.v1.includes(kind)) expect(response.status, kind).not.toBe(401);
      else expect(refusedAs(response), kind).toEqual([401, true]);
      expect(response.status, kind).toBeLessThan(500);
    }
  });
});

describe("/mcp", () => {
  it.each(agentTools.map(({ name }) => name))("%s", async (tool) => {
    for (const kind of KINDS) {
      for (const modern of [true, false]) {
        const reply = await sendMcp(null, toolCall(tool, {}, modern), headersOf[kind]);
        if (KNOWN.mcp.includes(kind)) expect(reply.status, kind).not.toBe(401);
        else expect([reply.status, reply.headers.has("www-authenticate")], kind).toEqual([401, true]);
      }
    }
  });

  it.each(["initialize", "tools/list", "server/discover", "ping", "nonsense"])("%s", async (method) => {
    for (const kind of KINDS) {
      const reply = await sendMcp(null, { jsonrpc: "2.0", id: 1, method, params: {} }, headersOf[kind]);
      if (KNOWN.mcp.includes(kind)) expect(reply.status, kind).not.toBe(401);
      else expect(reply.status, kind).toBe(401);
    }
  });

  it.each(["GET", "DELETE"])("%s", async (method) => {
    for (const kind of KINDS) {
      const response = await SELF.fetch(`${ORIGIN}/mcp`, { method, headers: headersOf[kind] });
      await response.text();
      expect(response.status, kind).toBe(KNOWN.mcp.includes(kind) ? 405 : 401);
    }
  });
});

describe("pages of a signed-in person", () => {
  const pages = routes.filter(({ guard }) => guard === "session");
  it.each(pages.map((route) => [at(route), route] as const))("%s", async (_, route) => {
    for (const kind of KINDS) {
      const response = await ask(route, kind);
      await response.text();
      const signIn = response.headers.get("location")?.startsWith("/sign-in") ?? false;
      if (kind === "cookie") {
        // Known; a form without its token is still refused.
        expect([response.status === 401, signIn], kind).toEqual([false, false]);
        if (route.method !== "GET") expect(response.status, kind).toBe(403);
      } else if (kind === "none") {
        // Sent to sign in; what a page's script asks is refused.
        expect([signIn, response.status === 403], kind).toContain(true);
        if (route.method === "GET") expect(signIn, kind).toBe(true);
      } else expect(response.status, kind).toBe(401);
    }
  });
});

describe("open routes", () => {
  const open = routes.filter(({ guard }) => guard === "open");
  it.each(open.map((route) => [at(route), route] as const))("%s asks nobody who they are", async (_, route) => {
    for (const kind of ["none", "cookie"] as const) {
      const response = await ask(route, kind);
      await response.text();
      expect(response.status, kind).not.toBe(401);
      expect(response.status, kind).toBeLessThan(500);
    }
  });
});

describe("routes with credentials of their protocol", () => {
  const protocol = routes.filter(({ guard }) => guard === "protocol");
  it.each(protocol.map((route) => [at(route), route] as const))("%s takes none of ours for them", async (_, route) => {
    const without = await ask(route, "none");
    const body = await without.text();
    expect(without.status).toBeGreaterThanOrEqual(400);
    expect(without.status).toBeLessThan(500);
    for (const kind of KINDS) {
      const response = await ask(route, kind);
      expect([response.status, shape(await response.text())], kind).toEqual([without.status, shape(body)]);
    }
  });
  const shape = (text: string) => text.replace(/req_[0-9a-z]+/g, "#");
});
