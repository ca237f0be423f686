import type { JsonSchema } from "../tools/schema.ts";

/** The routes of calls that run, for the OpenAPI document: they are no calls of their own, so no tool tells them. */

const text = { type: "string" };
const callId = {
  name: "call_id",
  in: "path",
  required: true,
  description: "`X-Waypost-Call-Id` of the stream",
  schema: text,
};

/** `problem`: the response of whatever goes wrong. */
export const runPaths = (problem: JsonSchema): Record<string, JsonSchema> => ({
  "/v1/chat/{call_id}/events": {
    get: {
      operationId: "read_events",
      summary: "Take up a stream",
      description:
        "The events of a chat of yours that runs, or whose answer is kept (10 minutes): those after `Last-Event-ID`, then those " +
        "that come. Counts as no call.",
      tags: ["chat"],
      "x-scope": "chat",
      parameters: [
        callId,
        {
          name: "Last-Event-ID",
          in: "header",
          required: false,
          description: "`id` of the last event that was read; absent: from the beginning",
          schema: text,
        },
      ],
      responses: {
        "200": {
          description: "Events as of `POST /v1/chat` with `stream`: delta and progress, then one done or error",
          content: { "text/event-stream": { schema: text } },
        },
        default: problem,
      },
    },
  },
  "/v1/chat/{call_id}": {
    delete: {
      operationId: "cancel_call",
      summary: "Cancel a call",
      description: "Ends a chat of yours that runs. What was produced is billed. Counts as no call.",
      tags: ["chat"],
      "x-scope": "chat",
      parameters: [callId],
      responses: {
        "200": { description: "The call has ended", content: { "application/json": { schema: cancelled } } },
        default: problem,
      },
    },
  },
  "/v1/sessions/{session_id}/live": {
    get: {
      operationId: "listen_to_session",
      summary: "Listen to a session",
      description:
        "A WebSocket on which a device hears what chats of a session say, as they say it, in JSON: listening {session_id}, " +
        "delta {call_id, at, text}, message {call_id, message_id}, failed {call_id, code}. It says what it has read with {seen}. " +
        "Counts as no call.",
      tags: ["sync"],
      "x-scope": "sync",
      parameters: [
        { name: "session_id", in: "path", required: true, schema: { ...text, pattern: "^[A-Za-z0-9_-]{1,128}$" } },
        { name: "Upgrade", in: "header", required: true, schema: { ...text, const: "websocket" } },
        {
          name: "Sec-WebSocket-Protocol",
          in: "header",
          required: false,
          description: "From a browser, which can set no Authorization: `waypost.live, bearer.<credential>`",
          schema: text,
        },
      ],
      responses: { "101": { description: "The socket is open" }, default: problem },
    },
  },
});

const cancelled = {
  type: "object",
  required: ["call_id", "cancelled", "cost"],
  properties: {
    call_id: text,
    cancelled: { type: "boolean", description: "False: it had ended before" },
    cost: {
      type: "object",
      required: ["nano_usd", "usd"],
      properties: { nano_usd: { type: "integer" }, usd: text },
    },
  },
};
