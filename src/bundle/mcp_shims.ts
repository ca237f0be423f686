/**
 * Stands in for the part of the MCP server package that fits it to workerd (`[alias]` in wrangler.toml). The package's own builds
 * the schemas of both protocol eras in every start, those that call no MCP too: 15 to 20 ms. Without it an era's are built when a client
 * of that era first calls, once per isolate.
 */
export { CfWorkerJsonSchemaValidator as DefaultJsonSchemaValidator } from "@modelcontextprotocol/server/validators/cf-worker";
