import { WaypostError } from "../../errors.ts";
import type { DialectName } from "../../models/dialects/types.ts";

/**
 * What a request may ask of a provider beyond tokens at their price: tools that run there for a fee, dearer service, and
 * things kept at the provider under a key that all accounts share. Each is refused by name, never let through unpaid.
 */

type Fields = Record<string, unknown>;

const UNGUARDED = "only POST /v1/chat has it, and here the request would go to the provider as it is";

/** Fields of the chat tool that whoever sends them relies on: an API that passes them on, or leaves them out, would do harm. */
const CHAT_ONLY = ["redact", "redact_terms", "moderate", "grounding"];

const FEE = "it is charged by the provider in another way than by tokens";
const SHARED = "what is kept at the provider is kept under a key that is not yours alone";

const REFUSED: Record<DialectName, Record<string, string>> = {
  "openai-chat": { web_search_options: FEE },
  "openai-responses": {
    previous_response_id: SHARED,
    conversation: SHARED,
    prompt: SHARED,
    background: "the answer must come within the call",
  },
  "anthropic-messages": { mcp_servers: FEE, container: SHARED, inference_geo: FEE, speed: FEE },
};

/** Kinds of tools that run at the caller. */
const OWN_TOOLS: Record<DialectName, readonly unknown[]> = {
  "openai-chat": ["function", "custom"],
  "openai-responses": ["function", "custom"],
  "anthropic-messages": [undefined, null, "custom"],
};

const TIERS = [undefined, null, "auto", "default", "standard_only", "flex"];

/** Fields that point at something kept at the provider. */
const POINTERS = new Set(["file_id", "vector_store_ids"]);

/** @throws WaypostError `invalid_input` */
export function refuseUnguarded(body: Fields): void {
  for (const field of CHAT_ONLY) if (isAsked(body[field])) throw refused(field, UNGUARDED);
}

/** @throws WaypostError `invalid_input` */
export function refuseUnbilled(name: DialectName, body: Fields): void {
  refuseUnguarded(body);
  for (const [field, why] of Object.entries(REFUSED[name])) if (isAsked(body[field])) throw refused(field, why);
  if (!TIERS.includes(body.service_tier as string)) throw refused("service_tier", FEE);
  if (Array.isArray(body.tools)) {
    for (const [i, tool] of body.tools.entries()) {
      const type: unknown = isObject(tool) ? tool.type : "nothing";
      if (!OWN_TOOLS[name].includes(type)) {
        throw refused(
          `tools.${i}`,
          `only tools that run at the caller are offered here; for a tool that is not, ${FEE}`,
        );
      }
    }
  }
  for (const field of ["messages", "input", "system"]) refusePointers(body[field], field);
}

function refusePointers(value: unknown, path: string): void {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) refusePointers(item, `${path}.${i}`);
    return;
  }
  if (!isObject(value)) return;
  if (value.type === "item_reference") throw refused(path, SHARED);
  for (const [name, inner] of Object.entries(value)) {
    if (POINTERS.has(name) && inner !== null) throw refused(`${path}.${name}`, SHARED);
    // A tool's own arguments are the caller's words.
    if (name !== "arguments" && name !== "text") refusePointers(inner, `${path}.${name}`);
  }
}

const refused = (path: string, why: string): WaypostError =>
  new WaypostError("invalid_input", `${path} is not offered here: ${why}.`, {
    issues: [{ path, message: `Not offered here: ${why}.` }],
  });

const isAsked = (value: unknown): boolean => value !== undefined && value !== null && value !== false;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
