import type { Credential } from "../../auth/bearer.ts";
import { type ErrorCode, WaypostError } from "../../errors.ts";

/** What the door tells a session's object beside the message itself. */
export interface Asking {
  credential: Credential;
  requestId: string;
  client?: string;
  /** What the credential may do. */
  scopes: readonly string[];
  /** Names of the tools its URL asks for; absent: all. */
  tools?: string[];
  /** The message opens the session. */
  opens: boolean;
}

/** Header that carries an `Asking` as JSON, from the door to the object and never further. */
export const ASKING = "X-Waypost-Asking";
/** Header of an answer that is a refusal: its body is a `Refusal`. */
export const REFUSED = "X-Waypost-Refused";

export interface Refusal {
  code: ErrorCode;
  detail: string;
}

/** What the SDK's transport reads of a request. */
export const PASSED = ["accept", "content-type", "mcp-session-id", "mcp-protocol-version", "last-event-id"] as const;

/** Whose session it is: the credential, whichever of its tokens came. An app's tokens change every hour, its grant does not. */
export const ownerOf = ({ account, caller }: Credential): string =>
  JSON.stringify([account, "verified" in caller ? caller.verified.id : caller.keyHash]);

/** In the same words whether there never was such a session, it is over, or it is somebody else's. */
export const noSession = (): WaypostError =>
  new WaypostError("no_mcp_session", "It is over, or was opened with another credential, or never was.");
