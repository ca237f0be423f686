import {
  AuthorizationResponseError,
  OperationProcessingError,
  ResponseBodyError,
  UnsupportedOperationError,
  WWWAuthenticateChallengeError,
} from "oauth4webapi";

/**
 * Why a sign-in with a provider did not come to its end.
 * - `denied`: the person, or the provider's policy, said no.
 * - `unreachable`, `slow`: no answer, none in time.
 * - `nonsense`: an answer that is none of the protocol's.
 * - `refused`: the provider does not accept this server's request; the operator has to look.
 * - `untrusted`: an answer that claims to be the provider's and fails a check.
 * - `expired`: nothing was begun, it was finished before, it took too long, or another browser began it.
 */
export type UpstreamFailureKind = "denied" | "unreachable" | "slow" | "nonsense" | "refused" | "untrusted" | "expired";

/** A sign-in with a provider that failed. `reason` is a fixed word for the log: never anything the provider sent. */
export class UpstreamFailure extends Error {
  override readonly name = "UpstreamFailure";
  readonly kind: UpstreamFailureKind;
  readonly reason: string;

  constructor(kind: UpstreamFailureKind, reason: string) {
    super(`${kind}: ${reason}`);
    this.kind = kind;
    this.reason = reason;
  }
}

/** RFC 6749 4.1.2.1 and OpenID Connect Core 3.1.2.6: the codes worth telling apart in a log. */
const AUTHORIZATION_ERRORS = new Set([
  "access_denied",
  "invalid_request",
  "unauthorized_client",
  "unsupported_response_type",
  "invalid_scope",
  "server_error",
  "temporarily_unavailable",
  "interaction_required",
  "login_required",
  "account_selection_required",
  "consent_required",
]);
const TOKEN_ERRORS = new Set([
  "invalid_request",
  "invalid_client",
  "invalid_grant",
  "unauthorized_client",
  "unsupported_grant_type",
  "invalid_scope",
]);

/** Failed checks of what a provider said about a person, as opposed to answers that are malformed. */
const UNTRUSTED = new Set([
  "OAUTH_JWT_CLAIM_COMPARISON_FAILED",
  "OAUTH_JWT_TIMESTAMP_CHECK_FAILED",
  "OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED",
]);

/** What a protocol step threw, told by kind: whatever the library cannot read is the provider's doing. */
export function upstreamFailure(error: unknown): UpstreamFailure {
  if (error instanceof UpstreamFailure) return error;
  if (error instanceof AuthorizationResponseError) return deniedBy(error.error);
  if (error instanceof ResponseBodyError) {
    return new UpstreamFailure("refused", TOKEN_ERRORS.has(error.error) ? error.error : "unknown_error");
  }
  if (error instanceof WWWAuthenticateChallengeError) return new UpstreamFailure("refused", "challenge");
  if (error instanceof UnsupportedOperationError) return new UpstreamFailure("untrusted", "unsupported");
  if (error instanceof OperationProcessingError) {
    const forged = forgery(error.cause);
    if (forged) return new UpstreamFailure("untrusted", forged);
    const code = error.code ?? "processing";
    return new UpstreamFailure(UNTRUSTED.has(code) ? "untrusted" : "nonsense", code.toLowerCase());
  }
  return new UpstreamFailure("nonsense", "unreadable");
}

/** Which part of a token was not as it must be, where the library's code does not tell. */
function forgery(cause: unknown): string | null {
  if (typeof cause !== "object" || cause === null) return null;
  if ("signature" in cause) return "signature";
  if ("parameters" in cause) return "answer";
  if ("claim" in cause && typeof cause.claim === "string") return `claim_${cause.claim}`;
  return "header" in cause ? "algorithm_or_key" : null;
}

function deniedBy(code: string): UpstreamFailure {
  if (code === "server_error" || code === "temporarily_unavailable") return new UpstreamFailure("unreachable", code);
  const reason = AUTHORIZATION_ERRORS.has(code) ? code : "unknown_error";
  const people = reason === "access_denied" || reason.endsWith("_required");
  return new UpstreamFailure(people ? "denied" : "refused", reason);
}
