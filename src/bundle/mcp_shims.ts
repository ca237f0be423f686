/**
 * Stands in for the part of the MCP server package that fits it to workerd (`scripts/lib/bundle.ts`). The package's own
 * builds the schemas of both protocol eras when it is loaded, which takes about 10 ms. Without it an era's are built once in
 * an isolate, when a client of that era first calls.
 */
export { CfWorkerJsonSchemaValidator as DefaultJsonSchemaValidator } from "@modelcontextprotocol/server/validators/cf-worker";
