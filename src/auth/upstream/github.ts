import type { TokenEndpointResponse } from "oauth4webapi";
import { UpstreamFailure } from "./failure.ts";
import type { Wire } from "./http.ts";
import { emailAddress, type ProvenIdentity, shown } from "./identity.ts";
import type { GithubProvider } from "./providers.ts";

/** Who an access token of GitHub's belongs to. The number is the subject: a login can be given up and taken by another. */
export async function githubIdentity(
  provider: GithubProvider,
  tokens: TokenEndpointResponse,
  wire: Wire,
): Promise<ProvenIdentity> {
  const ask = (path: string) => askGithub(provider, path, tokens.access_token, wire);
  const user = (await ask("/user")) as { id?: unknown; login?: unknown; name?: unknown } | null;
  if (!Number.isSafeInteger(user?.id)) throw new UpstreamFailure("nonsense", "github_user");
  const label = shown(user?.login);
  // GitHub separates scopes with commas, and people may grant fewer than were asked for.
  const granted = (tokens.scope ?? "").split(/[\s,]+/);
  const mayReadEmail = granted.includes("user:email") || granted.includes("user");
  return {
    issuer: provider.issuer,
    subject: String(user?.id),
    label,
    name: shown(user?.name) ?? label,
    email: mayReadEmail ? primaryEmail(await ask("/user/emails")) : null,
  };
}

/** GitHub answers a refused code with status 200 and an error in the body. @throws UpstreamFailure */
export async function refuseGithubError(response: Response): Promise<void> {
  const body = (await response
    .clone()
    .json()
    .catch(() => null)) as { error?: unknown } | null;
  if (typeof body?.error === "string") throw new UpstreamFailure("refused", "github_token");
}

function primaryEmail(answer: unknown): string | null {
  if (!Array.isArray(answer)) throw new UpstreamFailure("nonsense", "github_emails");
  const primary = answer.find((entry) => entry?.primary === true && entry?.verified === true);
  return emailAddress(primary?.email);
}

async function askGithub({ apiUrl }: GithubProvider, path: string, token: string, wire: Wire): Promise<unknown> {
  const response = await wire.fetch(`${apiUrl}${path}`, {
    method: "GET",
    body: undefined,
    redirect: "manual",
    headers: {
      Accept: "application/vnd.github+json",
      Authorization: `Bearer ${token}`,
      // GitHub refuses requests that do not say what sent them.
      "User-Agent": "waypost",
      "X-GitHub-Api-Version": "2022-11-28",
    },
  });
  if (response.status >= 500) throw new UpstreamFailure("unreachable", `github_${response.status}`);
  if (response.status !== 200) throw new UpstreamFailure("refused", `github_${response.status}`);
  try {
    return await response.json();
  } catch {
    throw new UpstreamFailure("nonsense", "github_json");
  }
}
