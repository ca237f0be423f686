import { describe, expect, it } from "vitest";
import page from "../../docs/rest.md?raw";
import { account, rest } from "./client.ts";
import { configureModels } from "./provider.ts";

configureModels();

/** The routes of calls that run, held to what the OpenAPI document says of them. */

const { body: document } = await rest(null, "GET", "/openapi.json");

interface Parameter {
  name: string;
  in: string;
  required: boolean;
  schema: object;
}
interface Operation {
  operationId: string;
  "x-scope"?: string | null;
  parameters?: Parameter[];
  responses: Record<string, { description: string; content?: Record<string, { schema: unknown }> }>;
}
const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(
  ([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);

describe("every operation", () => {
  it("has a name of its own", () => {
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(operations.map((each) => ({ ...each, name: `${each.method} ${each.path}` })))(
    "$name declares the parameters of its path, once each, and describes its responses",
    ({ path, operation: { parameters = [], responses } }) => {
      const inPath = parameters.filter((each) => each.in === "path");
      expect(inPath.map(({ name }) => name).sort()).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, n]) => n).sort());
      expect(inPath.every(({ required }) => required)).toBe(true);
      const names = parameters.map(({ name, in: where }) => `${where} ${name.toLowerCase()}`);
      expect(new Set(names).size).toBe(names.length);
      for (const { name, in: where, schema } of parameters) {
        expect(["path", "query", "header"]).toContain(where);
        // OpenAPI 3.1, 4.8.12.2: these three are told elsewhere.
        if (where === "header") expect(["accept", "content-type", "authorization"]).not.toContain(name.toLowerCase());
        expect(schema).toBeTypeOf("object");
      }
      expect(Object.keys(responses)).toContain("default");
      for (const [status, { description, content = {} }] of Object.entries(responses)) {
        expect(status).toMatch(/^([1-5]\d\d|default)$/);
        expect(description).not.toBe("");
        for (const { schema } of Object.values(content)) expect(schema).toBeTypeOf("object");
      }
    },
  );
});

describe("what the document says", () => {
  it("of each route, its tool and its scope, is what docs/rest.md says", () => {
    const told = [...page.matchAll(/^\| `([A-Z]+) (\/v1\S*)` +\| `(\w+)` +\| (`[\w:]+`|none) +\|$/gm)];
    const rows = told.map(([, method, path, tool, scope]) =>
      [method, path, tool, scope?.replaceAll("`", "")].join(" "),
    );
    const routes = operations.map(({ path, method, operation }) =>
      [method.toUpperCase(), path, operation.operationId, operation["x-scope"] ?? "none"].join(" "),
    );
    expect(rows.sort()).toEqual(routes.sort());
  });

  it("of usage, is that it comes as CSV too", async () => {
    const { key } = await account();
    for (const Accept of ["application/json", "text/csv"]) {
      const { headers } = await rest(key, "GET", "/v1/usage", undefined, { Accept });
      expect(headers.get("content-type")).toMatch(Accept);
      expect(document.paths["/v1/usage"].get.responses["200"].content).toHaveProperty([Accept]);
    }
  });
});

describe("what the document says of calls that run", () => {
  const schemaOf = (path: string, method: string, status: string, type: string) =>
    document.paths[path][method].responses[status].content[type].schema;

  it("is what comes: events, the end of a call, and problems", async () => {
    const { key } = await account();
    const stream = await rest(key, "POST", "/v1/chat", { message: "hi", model: "paid/echo", stream: true });
    const callId = stream.headers.get("x-waypost-call-id") as string;
    const path = "/v1/chat/{call_id}";
    const events = await rest(key, "GET", `/v1/chat/${callId}/events`);
    const [type = ""] = (events.headers.get("content-type") ?? "").split(";");
    expect(schemaOf(`${path}/events`, "get", String(events.status), type)).toEqual({ type: "string" });
    const cancelled = await rest(key, "DELETE", `/v1/chat/${callId}`);
    const { required, properties } = schemaOf(path, "delete", String(cancelled.status), "application/json");
    expect(Object.keys(cancelled.body).sort()).toEqual([...required].sort());
    expect(Object.keys(cancelled.body).sort()).toEqual(Object.keys(properties).sort());
    expect(Object.keys(cancelled.body.cost).sort()).toEqual([...properties.cost.required].sort());
    const gone = await rest(key, "DELETE", "/v1/chat/call_nobody");
    expect(gone.status).toBe(410);
    const problem = document.components.schemas.Problem;
    expect(schemaOf(path, "delete", "default", gone.headers.get("content-type") ?? "")).toEqual({
      $ref: "#/components/schemas/Problem",
    });
    for (const field of problem.required) expect(gone.body).toHaveProperty(field);
    expect(problem.properties.code.enum).toContain(gone.body.code);
  });

  it("is what a socket is asked for", async () => {
    const { key } = await account();
    const { parameters, responses } = document.paths["/v1/sessions/{session_id}/live"].get as Operation;
    expect(parameters?.find(({ name }) => name === "Upgrade")).toMatchObject({ required: true });
    expect(await rest(key, "GET", "/v1/sessions/s/live")).toMatchObject({
      status: 400,
      body: { code: "invalid_header" },
    });
    const id = parameters?.find(({ name }) => name === "session_id")?.schema as { pattern: string };
    const odd = "a.b";
    expect(new RegExp(id.pattern).test(odd)).toBe(false);
    const refused = await rest(key, "GET", `/v1/sessions/${odd}/live`, undefined, { Upgrade: "websocket" });
    expect(refused).toMatchObject({ status: 400, body: { code: "invalid_input" } });
    expect(Object.keys(responses)).toEqual(["101", "default"]);
  });

  it("is what a drop-in endpoint answers: another API's words, and events only where it streams", () => {
    const typesOf = (path: string) => Object.keys(document.paths[path].post.responses["200"].content);
    for (const path of ["/v1/chat/completions", "/v1/responses", "/v1/messages"]) {
      expect(typesOf(path)).toEqual(["application/json", "text/event-stream"]);
      expect(schemaOf(path, "post", "200", "application/json").properties).toBeUndefined();
    }
    expect(typesOf("/v1/messages/count_tokens")).toEqual(["application/json"]);
    expect(typesOf("/v1/embeddings")).toEqual(["application/json"]);
  });
});
