import { describe, expect, it } from "vitest";
import { issuersOf } from "./issuers.ts";

const one = { issuer: "https://id.example.test", jwks_url: "https://id.example.test/keys", audience: "waypost" };
const read = (...settings: unknown[]) => issuersOf({ JWT_ISSUERS: JSON.stringify(settings) });

describe("JWT_ISSUERS", () => {
  it("names issuers; what is not said is strict and small", () => {
    const issuer = read(one).get(one.issuer);
    expect(issuer).toMatchObject({
      algorithms: ["RS256", "ES256"],
      audience: ["waypost"],
      defaultScopes: ["chat", "usage", "sync", "search", "documents:write"],
      defaultPlan: "free",
      clockToleranceS: 30,
      provision: true,
    });
    expect(issuersOf({}).size).toBe(0);
    expect(issuersOf({ JWT_ISSUERS: "  " }).size).toBe(0);
  });

  it.each([
    ["no JSON", "nonsense", /JWT_ISSUERS: must be a JSON array/],
    ["no array", JSON.stringify(one), /JWT_ISSUERS:/],
    ["no issuer", { ...one, issuer: "" }, /\[0\]\.issuer/],
    ["no audience", { ...one, audience: undefined }, /\[0\]\.audience/],
    ["an empty list of audiences", { ...one, audience: [] }, /\[0\]\.audience/],
    ["keys without TLS", { ...one, jwks_url: "http://id.example.test/keys" }, /\[0\]\.jwks_url: must be an https URL/],
    ["keys from a file", { ...one, jwks_url: "file:///etc/keys" }, /\[0\]\.jwks_url/],
    ["a password in a URL", { ...one, jwks_url: "https://a:b@id.example.test/keys" }, /\[0\]\.jwks_url/],
    ["algorithm none", { ...one, algorithms: ["none"] }, /\[0\]\.algorithms\[0\]/],
    ["a shared secret", { ...one, algorithms: ["RS256", "HS256"] }, /\[0\]\.algorithms\[1\]/],
    ["no algorithm", { ...one, algorithms: [] }, /\[0\]\.algorithms/],
    ["a plan that is none", { ...one, default_plan: "gold" }, /there is no plan "gold"/],
    ["a mapping to a plan that is none", { ...one, plans: { gold: "golden" } }, /there is no plan "golden"/],
    ["a scope that is none", { ...one, default_scopes: ["everything"] }, /\[0\]\.default_scopes\[0\]/],
    ["admin for everybody", { ...one, default_scopes: ["admin"] }, /no issuer can give `admin`/],
    [
      "admin for somebody",
      { ...one, scopes: { boss: ["admin"] } },
      /\[0\]\.scopes\.boss\[0\]: no issuer can give `admin`/,
    ],
    ["a misspelt field", { ...one, audiences: "x" }, /\[0\]/],
    ["too much tolerance", { ...one, clock_tolerance_s: 3_600 }, /\[0\]\.clock_tolerance_s/],
  ])("is refused with %s, by the name of what is wrong", (_, setting, what) => {
    const JWT_ISSUERS = typeof setting === "string" ? setting : JSON.stringify([setting]);
    expect(() => issuersOf({ JWT_ISSUERS })).toThrow(
      expect.objectContaining({ code: "not_configured", detail: expect.stringMatching(what) }),
    );
  });

  it("refuses one issuer twice, also beside CLERK_ISSUER", () => {
    expect(() => read(one, { ...one, audience: "other" })).toThrow(/\[1\]\.issuer/);
    const both = { JWT_ISSUERS: JSON.stringify([one]), CLERK_ISSUER: one.issuer };
    expect(() => issuersOf(both)).toThrow(/CLERK_ISSUER/);
  });
});
