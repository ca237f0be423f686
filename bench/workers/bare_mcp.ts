import { McpServer } from "@modelcontextprotocol/server";
import { createMcpHandler } from "agents/mcp/server";
import { agentTools } from "../../src/tools/registry.ts";
import { report } from "./report.ts";

/** An MCP server as its package's documentation has it: the same tools by name and schema, no auth, limits or billing. */
const handler = createMcpHandler(() => {
  const server = new McpServer({ name: "bare", version: "1.0.0" });
  for (const tool of agentTools) {
    const { title, description, annotations, input: inputSchema, output: outputSchema } = tool;
    server.registerTool(tool.name, { title, description, annotations, inputSchema, outputSchema }, async () => ({
      content: [{ type: "text", text: "A report of this month's usage." }],
      structuredContent: report,
    }));
  }
  return server;
});

export default {
  fetch: (request: Request, env: unknown, ctx: ExecutionContext) => handler(request, env, ctx),
};
