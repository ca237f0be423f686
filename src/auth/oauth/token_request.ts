import { type GrantName, grantOf } from "./tokens.ts";

/** A request to the token endpoint (RFC 6749 3.2) or, without `grant_type`, to revoke (RFC 7009), as it came. */
export interface TokenRequest {
  authorization: string | null;
  contentType: string | null;
  body: string;
}

export interface TokenReply {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Which grant a request is about: by its code, refresh token, or token to revoke. Null when it names none. */
export function grantOfRequest({ body }: TokenRequest): GrantName | null {
  const form = new URLSearchParams(body);
  const kind = form.get("grant_type");
  const field = kind === "authorization_code" ? "code" : kind === "refresh_token" ? "refresh_token" : "token";
  return grantOf(single(form, field) ?? "");
}

/** The refresh that is asked for; null when the request is something else or ambiguous. */
export function refreshOf({ body }: TokenRequest): { token: string; scope: string; resource: string } | null {
  const form = new URLSearchParams(body);
  const token = single(form, "refresh_token");
  if (single(form, "grant_type") !== "refresh_token" || token === null) return null;
  return { token, scope: form.getAll("scope").join(" "), resource: form.getAll("resource").join(" ") };
}

/**
 * The same request as far as it authenticates the client, asking for nothing: the revocation of what is no token, which
 * the library answers with 200 to an authenticated client (RFC 7009 2.2).
 */
export function authenticationOnly(request: TokenRequest): TokenRequest {
  const form = new URLSearchParams({ token: "-" });
  for (const [name, value] of new URLSearchParams(request.body)) {
    if (name.startsWith("client_")) form.append(name, value);
  }
  return { ...request, body: form.toString() };
}

/** The client a request names, however it authenticates. Counts for something only once it is authenticated. */
export function clientOf({ authorization, body }: TokenRequest): string {
  const basic = /^basic +(\S+) *$/i.exec(authorization ?? "")?.[1];
  if (basic) return decodeForm(Buffer.from(basic, "base64").toString("utf8").split(":")[0] ?? "");
  const form = new URLSearchParams(body);
  return single(form, "client_id") || issuerOf(single(form, "client_assertion") ?? "");
}

function single(form: URLSearchParams, name: string): string | null {
  const values = form.getAll(name);
  return values.length === 1 ? (values[0] ?? null) : null;
}

/** RFC 6749 2.3.1: form-encoded inside the Basic credentials. */
const decodeForm = (text: string): string => new URLSearchParams(`x=${text.replaceAll("&", "%26")}`).get("x") ?? "";

/** `iss` of a client assertion (RFC 7523). */
function issuerOf(assertion: string): string {
  try {
    return String(JSON.parse(Buffer.from(assertion.split(".")[1] ?? "", "base64url").toString("utf8")).iss ?? "");
  } catch {
    return "";
  }
}
