import { WaypostError } from "../errors.ts";
import type { CallFacts } from "../ledger/types.ts";
import { sha256 } from "../sha256.ts";
import type { Principal } from "../tools/define.ts";
import type { CallRequest } from "./gate.ts";

/** What the ledger is told of a call when it begins and when it ends, and what its repetitions have in common. */

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** @throws WaypostError `invalid_header` when the idempotency key cannot be one, or the call takes none */
export function factsOf(request: CallRequest, callId: string, input: unknown): CallFacts {
  const { tool, credential, via, client, idempotencyKey } = request;
  const facts: CallFacts = { account: credential.account, callId, tool: tool.name, via, ...(client ? { client } : {}) };
  const session = tool.session?.(input);
  if (session !== undefined) facts.session = session;
  if (idempotencyKey === undefined) return facts;
  if (!IDEMPOTENCY_KEY.test(idempotencyKey)) {
    throw new WaypostError("invalid_header", "An idempotency key is 1 to 255 visible ASCII characters.");
  }
  if (tool.secretResult) {
    throw new WaypostError(
      "invalid_header",
      "This call takes no idempotency key: its result is shown once and never kept.",
    );
  }
  const inputHash = sha256(`${tool.name}\n${JSON.stringify(input)}`);
  return { ...facts, idempotency: { key: idempotencyKey, inputHash } };
}

/** Same for every attempt with the same idempotency key. */
export const attemptOf = (facts: CallFacts, principal: Principal): string =>
  facts.idempotency ? `at_${sha256(`${principal.keyId}\n${facts.idempotency.key}`).slice(0, 32)}` : facts.callId;
