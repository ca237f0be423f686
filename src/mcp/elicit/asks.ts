import { type InputResponseView, inputResponse, type Server, type ServerContext } from "@modelcontextprotocol/server";

/** What a request brings for a question that was asked before. Its presence says that the client can put one to its user. */
export interface Asks {
  state?: string;
  response: InputResponseView;
}

/** Name of the one question of a call. */
export const DECISION = "decision";

/** Undefined for clients without forms, and for those of 2025 outside a session: they could not be sent the question. */
export function asksOf(server: Server, { mcpReq }: ServerContext): Asks | undefined {
  const elicitation = server.getClientCapabilities()?.elicitation;
  if (!elicitation || (elicitation.url && !elicitation.form)) return undefined;
  const state = mcpReq.requestState<string>();
  const response = inputResponse(mcpReq.inputResponses, DECISION);
  return { ...(state === undefined ? {} : { state }), response };
}
