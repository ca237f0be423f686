import { WaypostError } from "../errors.ts";
import type { Caller } from "../ledger/types.ts";

/** The two protected resources. A token is good for one of them. */
export type Surface = "mcp" | "v1";

/** What a caller presented: the account whose ledger admits it, and as whom. */
export interface Credential {
  account: string;
  caller: Caller;
}

/**
 * The bearer token of a request (RFC 6750 2.1).
 * @throws WaypostError `unauthenticated` when there is none; `invalid_header` when there is one in the URL as well
 */
export function bearerToken(request: Request, header: string | null): string {
  // In a URL a token ends up in logs and histories; it is never accepted there, whatever else came with it.
  const inUrl = request.url.includes("access_token=");
  if (header === null) {
    throw new WaypostError(
      "unauthenticated",
      inUrl
        ? "A credential in the URL is not accepted: it is best revoked, and a new one sent in the Authorization header."
        : "The request carries no Authorization header.",
    );
  }
  if (inUrl) throw new WaypostError("invalid_header", "A credential came in the URL as well as in the header.");
  const token = /^bearer +(\S+) *$/i.exec(header)?.[1];
  if (!token)
    throw new WaypostError("unauthenticated", "The Authorization header is not of the form `Bearer <credential>`.");
  return token;
}
