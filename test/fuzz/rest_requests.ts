import type { Dice } from "./dice.ts";
import { fitting, type Known, type Schema } from "./from_schema.ts";
import type { Surface } from "./input.ts";
import { ODD_TEXTS } from "./odd.ts";

/** An operation of the server's OpenAPI document. */
export interface Operation {
  method: string;
  path: string;
  parameters: { name: string; in: string; schema: Schema }[];
  body: Schema | null;
}

export interface RestRequest {
  surface: Surface;
  method: string;
  target: string;
  body: unknown;
}

interface OpenApi {
  paths: Record<string, Record<string, RawOperation>>;
}
interface RawOperation {
  parameters?: Operation["parameters"];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

export const operationsOf = ({ paths }: OpenApi): Operation[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody?.content["application/json"]?.schema ?? null,
    })),
  );

/** A request to an operation, or to a route that the document does not name. */
export function restRequest(dice: Dice, operations: readonly Operation[], known: Known): RestRequest {
  if (dice.chance(0.12)) return { ...dice.pick(OTHERS), body: undefined };
  if (dice.chance(0.2)) return dialectRequest(dice);
  const operation = dice.pick(operations);
  const { method, path, parameters, body } = operation;
  const odd = dice.chance(0.15);
  const value = (name: string, schema: Schema) =>
    odd && dice.chance(0.5) ? dice.pick(ODD_TEXTS) : String(fitting(schema, dice, known, name));
  let target = path;
  const query: string[] = [];
  for (const { name, in: where, schema } of parameters) {
    if (where === "path") target = target.replace(`{${name}}`, () => encoded(value(name, schema)) || "x");
    else if (where === "query" && dice.chance(0.5)) query.push(`${name}=${encoded(value(name, schema))}`);
  }
  if (odd) query.push(dice.pick(ODD_QUERIES));
  return {
    surface: surfaceOf(path),
    method: dice.chance(0.04) ? dice.pick(["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) : method,
    target: query.length > 0 ? `${target}?${query.join("&")}` : target,
    body: body ? fitting(body, dice, known) : undefined,
  };
}

/** Lone surrogates cannot be percent-encoded: they are sent as the bytes they would be. */
const encoded = (text: string): string => {
  try {
    return encodeURIComponent(text);
  } catch {
    return "%ED%A0%80";
  }
};

const ODD_QUERIES = [
  "__proto__=1",
  "limit=1&limit=2",
  "=",
  "&&&",
  "a[]=1",
  "%ff=%fe",
  "from=%00",
  "access_token=x",
  "limit=1e3",
];

export function surfaceOf(path: string): Surface {
  if (/^\/v1\/(chat\/completions|responses|embeddings)\b/.test(path)) return "openai";
  if (/^\/v1\/messages\b/.test(path)) return "anthropic";
  return path.startsWith("/v1/") ? "rest" : "page";
}

const other = (method: string, target: string, surface: Surface = surfaceOf(target)) => ({ method, target, surface });
const OTHERS: Omit<RestRequest, "body">[] = [
  other("GET", "/v1/chat/call_none/events"),
  other("DELETE", "/v1/chat/call_none"),
  other("GET", "/v1/sessions/none/live"),
  other("GET", "/v1/sessions/%00/live"),
  other("GET", "/errors/__proto__"),
  other("GET", "/errors/not_found"),
  other("GET", "/v1/%"),
  other("GET", "/v1/%c0%af/x"),
  other("GET", "/v1/../../v1/me"),
  other("GET", `/v1/${"a/".repeat(300)}`),
  other("GET", "//mcp"),
  other("POST", "/mcp/"),
  other("GET", "/ready"),
  other("GET", "/openapi.json?x=%ff"),
  other("POST", "/setup"),
  other("POST", "/oauth/token"),
  other("POST", "/oauth/register"),
  other("GET", "/oauth/authorize?client_id=%00&redirect_uri=javascript:1"),
  other("GET", "/.well-known/oauth-protected-resource/mcp"),
  other("GET", "/.well-known/oauth-authorization-server/%2e%2e"),
  other("GET", "/sign-in?next=//evil.invalid"),
  other("GET", "/claim/none"),
  other("POST", "/webhooks/stripe"),
  other("POST", "/webhooks/clerk"),
];

function dialectRequest(dice: Dice): RestRequest {
  const content = dice.pick<unknown>([
    "tea?",
    "say ok",
    [{ type: "text", text: "tea?" }],
    [{ type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }],
  ]);
  const model = dice.pick(["local/extractive", "paid/echo", "auto", "paid/nothing"]);
  const messages = [{ role: dice.pick(["user", "user", "assistant", "system", "tool"]), content }];
  const stream = dice.chance(0.3) ? { stream: true, stream_options: { include_usage: true } } : {};
  const tool = { name: "f", description: "d", parameters: { type: "object", properties: { a: { type: "string" } } } };
  const openai = dice.chance(0.3) ? { tools: [{ type: "function", function: tool }], tool_choice: "auto" } : {};
  switch (dice.int(4)) {
    case 0:
      return dialect("/v1/responses", {
        model,
        input: dice.pick<unknown>(["tea?", messages]),
        ...(dice.chance(0.3) ? { stream: true } : {}),
      });
    case 1:
      return dialect("/v1/messages", {
        model,
        max_tokens: 20,
        messages,
        ...(dice.chance(0.3) ? { stream: true, thinking: { type: "enabled", budget_tokens: 1024 } } : {}),
        ...(dice.chance(0.3)
          ? { tools: [{ name: "f", input_schema: { type: "object" } }], system: [{ type: "text", text: "s" }] }
          : {}),
      });
    case 2:
      return dialect("/v1/embeddings", {
        model: dice.pick(["paid/echo", "local/extractive"]),
        input: dice.pick<unknown>(["a", ["a", "b"], [[1, 2]]]),
      });
    default:
      return dialect("/v1/chat/completions", {
        model,
        messages,
        max_tokens: 20,
        ...stream,
        ...openai,
        ...(dice.chance(0.2) ? { n: 2, response_format: { type: "json_object" } } : {}),
      });
  }
}

const dialect = (target: string, body: unknown): RestRequest => ({
  surface: surfaceOf(target),
  method: "POST",
  target,
  body,
});
