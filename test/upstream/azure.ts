import type { IncomingMessage, ServerResponse } from "node:http";
import { errorBody } from "./breaks.ts";
import { completions, json, type ServedRequest } from "./server.ts";

/** Azure OpenAI's v1 API: chat completions behind a header of its own; the models are deployments. */
export async function azure(request: IncomingMessage, response: ServerResponse, log: ServedRequest[]): Promise<void> {
  const key = request.headers["api-key"];
  if (typeof key !== "string" || request.headers.authorization) {
    return json(response, 401, errorBody("Access denied due to invalid subscription key", "auth", "401"));
  }
  if (!request.url?.startsWith("/openai/v1/chat/completions")) {
    return json(response, 404, errorBody("Resource not found", "invalid_request_error", "404"));
  }
  request.headers.authorization = `api-key ${key}`;
  await completions(request, response, log);
}
