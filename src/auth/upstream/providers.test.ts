import { describe, expect, it } from "vitest";
import { WaypostError } from "../../errors.ts";
import { providerOf, providers } from "./providers.ts";

const ISSUER = { id: "corp", name: "Corp", issuer: "https://id.corp.example", client_id: "abc" };
const oidc = (...issuers: unknown[]) => ({ OIDC_ISSUERS: JSON.stringify(issuers) });

describe("providers", () => {
  it("has none without settings", () => {
    expect(providers({})).toEqual([]);
    expect(providers({ OIDC_ISSUERS: " ", GITHUB_CLIENT_ID: "" })).toEqual([]);
  });

  it("lists GitHub first, then the issuers in their order", () => {
    const env = {
      GITHUB_CLIENT_ID: "id",
      GITHUB_CLIENT_SECRET: "secret",
      ...oidc({ ...ISSUER, client_secret: "s" }, { ...ISSUER, id: "other", name: "Other" }),
    };
    expect(providers(env).map(({ id, name, issuer }) => [id, name, issuer])).toEqual([
      ["github", "GitHub", "https://github.com"],
      ["corp", "Corp", "https://id.corp.example"],
      ["other", "Other", "https://id.corp.example"],
    ]);
    expect(providers(env)[0]).toMatchObject({ webUrl: "https://github.com", apiUrl: "https://api.github.com" });
    expect(providers(env)[2]).toMatchObject({ clientSecret: null });
  });

  it("finds the API of a GitHub Enterprise Server under its address, unless told another", () => {
    const github = { GITHUB_CLIENT_ID: "id", GITHUB_CLIENT_SECRET: "secret", GITHUB_URL: "https://git.corp.example/" };
    expect(providers(github)[0]).toMatchObject({
      issuer: "https://git.corp.example",
      apiUrl: "https://git.corp.example/api/v3",
    });
    expect(providers({ ...github, GITHUB_API_URL: "https://api.corp.example" })[0]).toMatchObject({
      apiUrl: "https://api.corp.example",
    });
  });

  it("allows http for this machine alone", () => {
    for (const issuer of ["http://localhost:9000", "http://127.0.0.1:9000/realm", "http://[::1]:9000"]) {
      expect(providers(oidc({ ...ISSUER, issuer }))).toHaveLength(1);
    }
    for (const issuer of ["http://id.corp.example", "http://localhost.corp.example", "http://127.0.0.1.corp.example"]) {
      expect(() => providers(oidc({ ...ISSUER, issuer }))).toThrow(/OIDC_ISSUERS: 0\.issuer/);
    }
  });

  it.each([
    ["GITHUB_CLIENT_SECRET", { GITHUB_CLIENT_ID: "id" }],
    ["GITHUB_CLIENT_ID", { GITHUB_CLIENT_SECRET: "s3cr3t" }],
    ["GITHUB_URL", { GITHUB_CLIENT_ID: "id", GITHUB_CLIENT_SECRET: "s3cr3t", GITHUB_URL: "http://git.corp.example" }],
    ["GITHUB_URL", { GITHUB_CLIENT_ID: "id", GITHUB_CLIENT_SECRET: "s3cr3t", GITHUB_URL: "https://a.example/?x" }],
    ["GITHUB_API_URL", { GITHUB_CLIENT_ID: "id", GITHUB_CLIENT_SECRET: "s3cr3t", GITHUB_API_URL: "git" }],
    ["OIDC_ISSUERS is not valid JSON", { OIDC_ISSUERS: '[{"client_secret":"s3cr3t"' }],
    ["OIDC_ISSUERS", { OIDC_ISSUERS: '{"client_secret":"s3cr3t"}' }],
    ["OIDC_ISSUERS: 0.id", oidc({ ...ISSUER, id: "Corp/../x", client_secret: "s3cr3t" })],
    ["OIDC_ISSUERS: 0.id", oidc({ ...ISSUER, id: "github" })],
    ["OIDC_ISSUERS: 0.name", oidc({ ...ISSUER, name: " " })],
    ["OIDC_ISSUERS: 1.client_id", oidc(ISSUER, { ...ISSUER, id: "b", client_id: undefined })],
    ["OIDC_ISSUERS: 0.client_id", oidc({ ...ISSUER, client_id: "" })],
    ["OIDC_ISSUERS: 0.client_secret", oidc({ ...ISSUER, client_secret: 7 })],
    ["OIDC_ISSUERS: 0", oidc({ ...ISSUER, secret: "s3cr3t" })],
    ["OIDC_ISSUERS: 0.issuer", oidc({ ...ISSUER, issuer: "https://id.corp.example?tenant=1" })],
    ["OIDC_ISSUERS: 0.issuer", oidc({ ...ISSUER, issuer: "https://user:s3cr3t@id.corp.example" })],
    ["OIDC_ISSUERS names an id twice", oidc(ISSUER, ISSUER)],
  ])("says which setting is wrong: %s", (names, env) => {
    const refusal = (() => {
      try {
        return providers(env);
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(WaypostError);
    expect(refusal).toMatchObject({ code: "not_configured", detail: expect.stringContaining(names) });
    expect(String(refusal)).not.toContain("s3cr3t");
  });

  it("knows no provider that is not configured", () => {
    expect(providerOf(oidc(ISSUER), "corp").name).toBe("Corp");
    for (const id of ["github", "", "CORP", "corp/", "__proto__"]) {
      expect(() => providerOf(oidc(ISSUER), id)).toThrow(expect.objectContaining({ code: "unknown_route" }));
    }
  });
});
