import { errorCatalogue } from "../errors.ts";
import type { Tool } from "../tools/define.ts";
import { tools } from "../tools/registry.ts";
import { type JsonSchema, schemasOf } from "../tools/schema.ts";
import { VERSION } from "../version.ts";

let document: JsonSchema | undefined;

/** OpenAPI 3.1 of the REST door, derived from the tools. */
export function openApiDocument(): JsonSchema {
  document ??= {
    openapi: "3.1.0",
    info: {
      title: "Waypost",
      version: VERSION,
      description: "Chat, usage, session sync and search behind one gate. The same tools are served over MCP at /mcp.",
    },
    servers: [{ url: "/" }],
    security: [{ apiKey: [] }],
    paths: paths(),
    components: {
      securitySchemes: { apiKey: { type: "http", scheme: "bearer", description: "An API key, wp_…" } },
      schemas: { Problem: problemSchema },
    },
  };
  return document;
}

function paths(): Record<string, JsonSchema> {
  const all: Record<string, JsonSchema> = {};
  for (const tool of tools) {
    const path = `/v1${tool.rest.path}`;
    all[path] = { ...all[path], [tool.rest.method]: operation(tool) };
  }
  return all;
}

function operation(tool: Tool): JsonSchema {
  const { input, output } = schemasOf(tool);
  const inPath = [...tool.rest.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] as string);
  const properties = (input.properties ?? {}) as Record<string, JsonSchema>;
  const required = new Set((input.required ?? []) as string[]);
  const hasBody = tool.rest.method === "post" || tool.rest.method === "patch";
  // A result that is shown once is not kept for a repetition.
  const repeatable = hasBody && !tool.secretResult;
  const parameters = Object.entries(properties)
    .filter(([name]) => inPath.includes(name) || !hasBody)
    .map(([name, { description, ...schema }]) => ({
      name,
      in: inPath.includes(name) ? "path" : "query",
      required: inPath.includes(name) || required.has(name),
      ...(description ? { description } : {}),
      schema,
    }));
  return {
    operationId: tool.name,
    summary: tool.title,
    description: tool.description,
    tags: [tool.scope ?? "me"],
    "x-scope": tool.scope,
    ...(parameters.length > 0 || repeatable
      ? { parameters: [...parameters, ...(repeatable ? [idempotencyKey] : [])] }
      : {}),
    ...(hasBody
      ? { requestBody: { required: true, content: { "application/json": { schema: bodySchema(tool, inPath) } } } }
      : {}),
    responses: {
      "200": {
        description: "The result",
        content: {
          ...(tool.media
            ? { [tool.media]: { schema: { type: "string" } } }
            : { "application/json": { schema: output } }),
          ...(tool.streams ? { "text/event-stream": { schema: { type: "string" } } } : {}),
        },
      },
      default: {
        description: "A problem",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function bodySchema(tool: Tool, inPath: readonly string[]): JsonSchema {
  const { input } = schemasOf(tool);
  const keep = (name: string) => !inPath.includes(name);
  const properties = Object.fromEntries(
    Object.entries((input.properties ?? {}) as JsonSchema).filter(([name]) => keep(name)),
  );
  if (tool.streams) properties.stream = { type: "boolean", description: "Answer as server-sent events" };
  return { ...input, properties, required: ((input.required ?? []) as string[]).filter(keep) };
}

const idempotencyKey = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "Same key and input: the first result, not run or charged again, for 24 hours",
  schema: { type: "string", maxLength: 255 },
};

const problemSchema = {
  type: "object",
  description: "RFC 9457 problem with the catalogue's code and what to do next",
  required: ["type", "title", "status", "code", "detail", "next", "retry"],
  properties: {
    type: { type: "string" },
    title: { type: "string" },
    status: { type: "integer" },
    code: { type: "string", enum: Object.keys(errorCatalogue) },
    detail: { type: "string" },
    next: { type: "string" },
    retry: { type: "string", enum: ["never", "later", "now"] },
    retry_after: { type: "integer", description: "Seconds" },
    next_calls: {
      type: "array",
      description: "Calls that help, with all their arguments",
      items: {
        type: "object",
        required: ["tool", "arguments", "why"],
        properties: { tool: { type: "string" }, arguments: { type: "object" }, why: { type: "string" } },
      },
    },
    charged_nano_usd: {
      type: "integer",
      description: "What the failed call was charged for work that was done; absent: nothing",
    },
    required_scope: { type: "string" },
    request_id: { type: "string" },
    issues: {
      type: "array",
      items: { type: "object", properties: { path: { type: "string" }, message: { type: "string" } } },
    },
  },
};
