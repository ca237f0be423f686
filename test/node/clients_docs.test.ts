import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { cursorLink, vsCodeLink } from "../../src/web/connect_links.ts";

/** The setup pages and the registry's entry: what a reader copies must be what a client takes. */

const root = resolve(import.meta.dirname, "../..");
const folder = join(root, "docs/clients");
const pages = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")] as const);
const MCP = "http://localhost:8787/mcp";

const blocks = pages.flatMap(([page, text]) =>
  [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, body]) => ({
    page,
    language,
    body: body as string,
  })),
);

/** A server in a client's file: by address, or by command. */
const Headers = z.strictObject({ Authorization: z.string().startsWith("Bearer ") });
const ByUrl = (field: string) =>
  z.strictObject({ [field]: z.literal(MCP), type: z.literal("http").optional(), headers: Headers.optional() });
const ByCommand = z.strictObject({
  source: z.literal("custom").optional(),
  command: z.enum(["node", "npx"]),
  args: z.array(z.string()).min(2),
  env: z.record(z.string(), z.string()).optional(),
});
/** Where each client's file has its servers, and the field for the address. */
const SHAPES: Record<string, [list: string, field: string]> = {
  "claude_code.md": ["mcpServers", "url"],
  "claude_desktop.md": ["mcpServers", "-"],
  "cursor.md": ["mcpServers", "url"],
  "vscode.md": ["servers", "url"],
  "windsurf.md": ["mcpServers", "serverUrl"],
  "zed.md": ["context_servers", "url"],
  "gemini_cli.md": ["mcpServers", "httpUrl"],
  "mcp_remote.md": ["mcpServers", "-"],
  "stdio.md": ["mcpServers", "-"],
};

describe("the pages", () => {
  const json = blocks.filter(({ language }) => language === "json");

  test("every client with a JSON file has its shape here", () => {
    expect([...new Set(json.map(({ page }) => page))].sort()).toEqual(Object.keys(SHAPES).sort());
  });

  test.each(json)("$page: a file that is pasted has the client's own shape", ({ page, body }) => {
    const [list, field] = SHAPES[page] as [string, string];
    const { inputs, ...file } = JSON.parse(body);
    const server = field === "-" ? ByCommand : z.union([ByUrl(field), ByCommand]);
    const { [list]: servers } = z.strictObject({ [list]: z.strictObject({ waypost: server }) }).parse(file);
    const asked = [...body.matchAll(/\$\{input:([\w-]+)\}/g)].map(([, id]) => id);
    expect((inputs ?? []).map(({ id }: { id: string }) => id)).toEqual(asked);
    const command = (servers as { waypost: { args?: string[] } }).waypost.args?.[0];
    if (command?.includes("waypost"))
      expect(existsSync(join(root, command.replace("/path/to/waypost/", "")))).toBe(true);
  });

  test("the links hold the configuration for the address that the text names", () => {
    const linked = (page: string) =>
      /\]\(((?:cursor|vscode):[^)]+)\)/.exec(readFileSync(join(folder, page), "utf8"))?.[1];
    expect(linked("cursor.md")).toBe(cursorLink(MCP));
    expect(linked("vscode.md")).toBe(vsCodeLink(MCP));
  });

  test("every link to another page leads somewhere, and the index has every page", () => {
    const index = readFileSync(join(folder, "README.md"), "utf8");
    for (const [page, text] of pages) {
      for (const [, to] of text.matchAll(/\]\(([\w./]+\.(?:md|json))(?:#[\w-]+)?\)/g)) {
        expect(existsSync(join(folder, to as string)), `${page}: ${to}`).toBe(true);
      }
      if (page !== "README.md") expect(index).toContain(`](${page})`);
    }
  });

  test("each says what one sees and what to do when it fails", () => {
    for (const [page, text] of pages) {
      if (page === "registry.md") continue;
      expect(text, page).toMatch(/^## When it fails$/m);
      if (page !== "stdio.md") expect(text, page).toMatch(/^## What (you see|signing in looks like)$/m);
    }
  });
});

describe("server.json", () => {
  // Fields and limits of the registry's schema of 2025-12-11, and what the registry asks beyond it.
  const Variable = z.strictObject({
    description: z.string().optional(),
    isRequired: z.boolean().optional(),
    isSecret: z.boolean().optional(),
    placeholder: z.string().optional(),
  });
  const Header = z.strictObject({
    name: z.string(),
    description: z.string().optional(),
    value: z.string().optional(),
    isRequired: z.boolean().optional(),
    isSecret: z.boolean().optional(),
    variables: z.record(z.string(), Variable).optional(),
  });
  const Entry = z.strictObject({
    $schema: z.literal("https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"),
    name: z
      .string()
      .min(3)
      .max(200)
      .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
    title: z.string().min(1).max(100),
    description: z.string().min(1).max(100),
    version: z.string().regex(/^\d+\.\d+\.\d+(-[\w.]+)?$/),
    remotes: z
      .array(
        z.strictObject({
          type: z.literal("streamable-http"),
          url: z.string().regex(/^https:\/\/\S+\/mcp$/),
          variables: z.record(z.string(), Variable).optional(),
          headers: z.array(Header).optional(),
        }),
      )
      .min(1),
  });
  const entry = Entry.parse(JSON.parse(readFileSync(join(root, "server.json"), "utf8")));

  test("has the package's version", () => {
    expect(entry.version).toBe(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version);
  });

  test("defines every variable it names, and keeps the key secret", () => {
    const named = (text = "") => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
    for (const { url, variables = {}, headers = [] } of entry.remotes) {
      expect(named(url)).toEqual(Object.keys(variables).sort());
      for (const header of headers) {
        expect(named(header.value)).toEqual(Object.keys(header.variables ?? {}).sort());
        if (header.name === "Authorization") expect(header).toMatchObject({ isSecret: true, isRequired: false });
      }
    }
  });
});
