import { errorCatalogue } from "../errors.ts";
import type { Tool } from "../tools/define.ts";
import { tools } from "../tools/registry.ts";
import { type JsonSchema, schemasOf } from "../tools/schema.ts";
import { VERSION } from "../version.ts";
import { runPaths } from "./openapi_runs.ts";

let document: JsonSchema | undefined;

/** OpenAPI 3.1 of the REST door: what is derived from the tools, and the routes of calls that run. */
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
  return { ...all, ...runPaths(problemResponse) };
}

function operation(tool: Tool): JsonSchema {
  const { input } = schemasOf(tool);
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
    responses: tool.dialect ? dialectResponses(tool) : { "200": result(tool), default: problemResponse },
  };
}

function result(tool: Tool): JsonSchema {
  const asCsv = tools.find(({ rest }) => rest.path === `${tool.rest.path}.csv`);
  return {
    description: asCsv ? `The result; with \`Accept: text/csv\`, that of \`${asCsv.name}\`` : "The result",
    content: {
      ...(tool.media ? text(tool.media) : { "application/json": { schema: schemasOf(tool).output } }),
      ...(asCsv?.media ? text(asCsv.media) : {}),
      ...(tool.streams ? eventStream : {}),
    },
  };
}

/** Answers and errors are in the words of the API that is spoken to, whose own documents say what is in them. */
function dialectResponses(tool: Tool): JsonSchema {
  const streams = "stream" in ((schemasOf(tool).input.properties ?? {}) as JsonSchema);
  const api = tool.dialect === "anthropic" ? "Anthropic" : "OpenAI";
  const content = { "application/json": { schema: { type: "object" } } };
  return {
    "200": { description: `As ${api}'s API answers`, content: { ...content, ...(streams ? eventStream : {}) } },
    default: { description: `An error as ${api}'s API tells it`, content },
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

const text = (media: string): JsonSchema => ({ [media]: { schema: { type: "string" } } });
const eventStream = text("text/event-stream");

const problemResponse = {
  description: "A problem",
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};

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
    error: {
      type: "object",
      description: "The same for clients of other APIs, of /v1/models and unknown routes only",
      properties: { message: { type: "string" }, type: { type: "string" }, code: { type: "string" } },
    },
    required_scope: { type: "string" },
    request_id: { type: "string" },
    issues: {
      type: "array",
      items: { type: "object", properties: { path: { type: "string" }, message: { type: "string" } } },
    },
  },
};
