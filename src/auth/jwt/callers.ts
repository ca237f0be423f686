import type { Env } from "../../env.ts";
import { parsePlans } from "../../ledger/plans.ts";
import type { Credential } from "../bearer.ts";
import { externalAccount, externalCaller, externalUser } from "../external.ts";
import { factsOf, type JwtFacts } from "./claims.ts";
import type { JwtIssuer } from "./issuer.ts";
import { issuersOf } from "./issuers.ts";
import { KeyCache } from "./key_cache.ts";
import { ensureMember } from "./members.ts";
import { verifyJwt } from "./verify.ts";

const keys = new KeyCache();

/**
 * The caller whom a configured issuer's JWT names; for `/v1` only. Ids are derived from the issuer's own, so that the
 * directory is asked once an isolate and person, not once a call.
 * @throws WaypostError `unauthenticated` saying what is wrong in kind; `unavailable` when the issuer's keys or the directory
 *   cannot be had; `not_configured` when the settings of the issuers are wrong
 */
export async function callerOfJwt(env: Env, token: string): Promise<Credential> {
  const { issuer, claims } = await verifyJwt(issuersOf(env), keys, token);
  const facts = factsOf(claims, issuer);
  const [account, user, id] = await Promise.all([
    accountOf(issuer, facts),
    externalUser(issuer.issuer, facts.subject),
    externalCaller(issuer.issuer, facts.subject),
  ]);
  const userName = facts.name ?? facts.email ?? facts.subject;
  await ensureMember(
    env,
    {
      account,
      user,
      accountName: facts.tenant === null ? userName : (facts.accountName ?? facts.tenant),
      userName,
      email: facts.email,
      plan: facts.plan !== null && parsePlans(env.PLANS).has(facts.plan) ? facts.plan : issuer.defaultPlan,
      identity: issuer.claims.user[0] === "sub" ? { issuer: issuer.issuer, subject: facts.subject } : null,
    },
    issuer.provision,
  );
  const { scopes, plan, issuedAt } = facts;
  // A statement without a time cannot be put in order with others.
  const stated = plan !== null && issuedAt !== null ? { plan: { id: plan, asOf: issuedAt } } : {};
  return { account, caller: { verified: { id, user, scopes, ...stated } } };
}

const accountOf = ({ issuer }: JwtIssuer, { subject, tenant }: JwtFacts): Promise<string> =>
  tenant === null ? externalAccount(issuer, "personal", subject) : externalAccount(issuer, "tenant", tenant);
