/**
 * The error catalogue: every failure a caller can see, with its HTTP status and what to do next.
 * Wire shape over REST is RFC 9457; over MCP it is a tool result with `isError`.
 */

export interface CatalogueEntry {
  /** HTTP status of the REST door. */
  status: number;
  /** Short, stable, for people. */
  title: string;
  /** Whether the same call can succeed later without a change: never, after waiting, or at once (a new attempt). */
  retry: "never" | "later" | "now";
  /** What the caller should do next. */
  next: string;
}

const catalogue = {
  invalid_json: {
    status: 400,
    title: "The body is not valid JSON",
    retry: "never",
    next: "Send one JSON object, UTF-8 encoded, nested at most 64 levels deep.",
  },
  invalid_input: {
    status: 400,
    title: "The input does not fit the schema",
    retry: "never",
    next: "Correct the fields listed in `issues` and call again; the schema is in tools/list and /openapi.json.",
  },
  invalid_header: {
    status: 400,
    title: "A request header is not acceptable",
    retry: "never",
    next: "Correct the header named in `detail`.",
  },
  unauthenticated: {
    status: 401,
    title: "No valid credential",
    retry: "never",
    next: "Sign in with OAuth (the WWW-Authenticate header says where), or send `Authorization: Bearer <API key>`; `npm start` prints the owner's.",
  },
  key_expired: {
    status: 401,
    title: "The API key has expired",
    retry: "never",
    next: "Create a new key with POST /v1/keys.",
  },
  key_revoked: {
    status: 401,
    title: "The API key was revoked",
    retry: "never",
    next: "Create a new key with POST /v1/keys.",
  },
  payment_required: {
    status: 402,
    title: "The plan's tokens and the prepaid credit are used up",
    retry: "never",
    next: "Move the account to a larger plan, or add prepaid credit; `usage` shows what is left and when it resets. With a `retry_after` only running calls hold what is left: wait for them. A local model costs nothing.",
  },
  budget_exceeded: {
    status: 402,
    title: "A budget does not cover the call",
    retry: "never",
    next: "Raise the budget that `budget_id` names (POST /v1/budgets/{budget_id}, or PATCH /v1/keys/{key_id} if it is a key's own), or wait until `resets_at` where there is one; with a `retry_after` only running calls hold what is left: wait for them. A local model costs nothing.",
  },
  exceeds_own_key: {
    status: 403,
    title: "A credential cannot give away more than it has",
    retry: "never",
    next: "Ask for no more than your own credential may do, or use one that is not limited.",
  },
  insufficient_scope: {
    status: 403,
    title: "The credential lacks a scope",
    retry: "never",
    next: "Sign in again with the scope in `required_scope`, or let the user open `grant_scope_url` and allow it; an API key with it is made with POST /v1/keys.",
  },
  origin_not_allowed: {
    status: 403,
    title: "This origin may not call the server",
    retry: "never",
    next: "Add the origin to ALLOWED_ORIGINS in the server's configuration.",
  },
  form_refused: {
    status: 403,
    title: "This form was not sent from a page of this site",
    retry: "never",
    next: "Open the page again in this browser and send the form from there.",
  },
  passkey_refused: {
    status: 403,
    title: "The passkey was not accepted",
    retry: "now",
    next: "Open the page again and try once more, or sign in another way.",
  },
  sign_ups_closed: {
    status: 403,
    title: "New users need an invitation",
    retry: "never",
    next: "Ask the operator of this installation for an invitation link.",
  },
  link_invalid: {
    status: 410,
    title: "This link is not valid any more",
    retry: "never",
    next: "A link works once and for a limited time: ask for a new one.",
  },
  not_found: {
    status: 404,
    title: "Not found",
    retry: "never",
    next: "Check the id: use one that a list of this account has (`search` and `list_sessions` for documents and sessions).",
  },
  answer_gone: {
    status: 410,
    title: "There is no such answer to read on in",
    retry: "never",
    next: "Ask again: with the first call's Idempotency-Key a finished answer comes back for 24 hours without a charge. An answer of a session is in it (`sync_session`).",
  },
  no_mcp_session: {
    status: 404,
    title: "There is no such MCP session",
    retry: "never",
    next: "Send `initialize` again, without an Mcp-Session-Id header.",
  },
  unknown_route: {
    status: 404,
    title: "No such route",
    retry: "never",
    next: "See /openapi.json for the routes there are.",
  },
  unknown_tool: {
    status: 404,
    title: "No such tool",
    retry: "never",
    next: "Call tools/list and use one of its names.",
  },
  unknown_method: {
    status: 404,
    title: "No such MCP method",
    retry: "never",
    next: "Use what the capabilities name: tools, resources, prompts, completion; a client of 2026 listens to changes with subscriptions/listen.",
  },
  method_not_allowed: {
    status: 405,
    title: "Method not allowed",
    retry: "never",
    next: "Use a method named in the `Allow` header.",
  },
  confirmation_required: {
    status: 428,
    title: "A person must agree first",
    retry: "never",
    next: "Ask the user. When they agree, call again with the same input and `confirm: true`.",
  },
  declined: {
    status: 403,
    title: "The user did not agree",
    retry: "never",
    next: "Leave it, unless the user asks for it again.",
  },
  question_closed: {
    status: 400,
    title: "The question that this answers is not open",
    retry: "never",
    next: "Call again without `requestState`: whoever must decide is asked anew.",
  },
  conflict: {
    status: 409,
    title: "The stored state does not allow this",
    retry: "never",
    next: "Read the current state, then decide; `detail` says what differs.",
  },
  resync_required: {
    status: 409,
    title: "The cursor is not from this vault's current history",
    retry: "never",
    next: "Pull again without a cursor, keep what you have not pushed yet, and push it afterwards.",
  },
  client_forked: {
    status: 409,
    title: "This device id has been used by another copy of the client",
    retry: "never",
    next: "Take a new device id and new mutation ids, then push the unsent changes again; nothing was lost.",
  },
  idempotency_conflict: {
    status: 409,
    title: "The idempotency key was used with another input",
    retry: "never",
    next: "Use a new idempotency key for a new request.",
  },
  idempotency_in_progress: {
    status: 409,
    title: "The first call with this idempotency key is still running",
    retry: "later",
    next: "Repeat the call with the same key after `retry_after` seconds; it will return the first result.",
  },
  idempotency_not_kept: {
    status: 409,
    title: "The first call's answer was too large to be kept for its idempotency key",
    retry: "never",
    next: "The first call was answered in full and charged once, this one not at all. To ask again, use a new idempotency key.",
  },
  payload_too_large: {
    status: 413,
    title: "The body is too large",
    retry: "never",
    next: "Send less at a time; `detail` names the limit.",
  },
  unsupported_media_type: {
    status: 415,
    title: "The body is not application/json",
    retry: "never",
    next: "Send `Content-Type: application/json`.",
  },
  rate_limited: {
    status: 429,
    title: "Too many calls",
    retry: "later",
    next: "Wait `retry_after` seconds; a larger plan has larger limits.",
  },
  deadline_exceeded: {
    status: 504,
    title: "The call took too long",
    retry: "now",
    next: "Send what was not done again, in smaller calls; `detail` says how far it came.",
  },
  client_closed: {
    status: 499,
    title: "The client went away",
    retry: "now",
    next: "Call again.",
  },
  internal: {
    status: 500,
    title: "The server failed",
    retry: "now",
    next: "Try again; if it persists, report the `request_id`. Nothing was charged.",
  },
  model_unknown: {
    status: 400,
    title: "No such model here",
    retry: "never",
    next: "Use a model that is offered: `detail` names some, GET /v1/models all, with what each can do.",
  },
  model_unpriced: {
    status: 400,
    title: "The model has no known price",
    retry: "never",
    next: "Configure the model's price in MODEL_PRICES, or use a model that has one; unpriced models are refused, never free.",
  },
  content_flagged: {
    status: 400,
    title: "Moderation flagged the content",
    retry: "never",
    next: "Change what `side` names: the `input` that was sent, or what was asked for if it is the `output`. `categories` says why; GET /v1/moderation/flags lists it for review.",
  },
  moderation_unavailable: {
    status: 503,
    title: "The content could not be moderated",
    retry: "later",
    next: 'Try again. Where an unjudged answer will do, send `moderate: {"on_failure": "open"}`.',
  },
  context_too_long: {
    status: 400,
    title: "The conversation does not fit the model",
    retry: "never",
    next: "Shorten the messages or choose a model with a larger context.",
  },
  provider_unreachable: {
    status: 502,
    title: "The model provider cannot be reached",
    retry: "later",
    next: "Try again, choose another model, or check the provider's base URL. Nothing was charged.",
  },
  provider_failed: {
    status: 502,
    title: "The model provider answered with an error",
    retry: "later",
    next: "Try again or choose another model. Nothing was charged.",
  },
  provider_refused: {
    status: 502,
    title: "The model provider did not accept the request",
    retry: "never",
    next: "Check the provider's key, the model's name and the parameters.",
  },
  provider_busy: {
    status: 503,
    title: "The model provider is over its own limit",
    retry: "later",
    next: "Wait `retry_after` seconds or choose another model. Nothing was charged.",
  },
  provider_timeout: {
    status: 504,
    title: "The model provider took too long",
    retry: "later",
    next: "Try again, ask for fewer tokens, or choose another model. Nothing was charged.",
  },
  payment_unavailable: {
    status: 503,
    title: "The payment provider did not answer",
    retry: "later",
    next: "Try again with the same idempotency key: nothing is paid twice.",
  },
  not_configured: {
    status: 503,
    title: "The server is not set up",
    retry: "never",
    next: "The operator must set what `detail` names.",
  },
  unavailable: {
    status: 503,
    title: "A store did not answer",
    retry: "later",
    next: "Try again in a few seconds.",
  },
} as const satisfies Record<string, CatalogueEntry>;

export type ErrorCode = keyof typeof catalogue;
export const errorCatalogue: Readonly<Record<ErrorCode, CatalogueEntry>> = catalogue;
