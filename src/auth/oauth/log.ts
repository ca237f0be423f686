/** What the authorization server did that an operator should know of: ids and kinds, never a code, token or name. */
export interface OAuthLog {
  action: "refused" | "refresh_reuse";
  status?: number;
  error?: string;
  /** Which check failed, in the library's words. */
  reason?: string;
  user?: string;
  grant?: string;
  client?: string;
}

export function logOAuth(line: OAuthLog): void {
  console.log(JSON.stringify({ event: "oauth", ...line }));
}
