import { urlsOf } from "../auth/urls.ts";
import type { Env } from "../env.ts";
import type { Route } from "../gate/route.ts";
import { agentTools } from "../tools/registry.ts";
import { VERSION } from "../version.ts";

/** `/llms.txt` (llmstxt.org): what an agent that was given the server's address alone must know to use it. */
export function llmsText(env: Env): string {
  const { issuer } = urlsOf(env);
  const tools = agentTools.map(
    ({ name, title, rest }) => `- \`${name}\` (${rest.method.toUpperCase()} /v1${rest.path}): ${title}`,
  );
  return `# Waypost

> One server with a model to talk to, what it cost, sessions that follow their user across devices, and search over the
> account's own knowledge. It speaks MCP and REST, with the same tools, errors and prices. Version ${VERSION}.

MCP is at ${issuer}/mcp (Streamable HTTP, protocol 2026-07-28 and those of 2025). A client that is given this address alone
is led to sign its user in (OAuth 2.1, PKCE, dynamic registration or a client metadata document). A program sends
\`Authorization: Bearer <API key>\`. An API key starts with \`wp_\`; never put one into a URL.

Every error says what happened, whether to retry and when, and what to do next: read \`next\` before trying again. Repeat a
call safely with an idempotency key: the header \`Idempotency-Key\`, or \`waypost/idempotency-key\` in \`_meta\`.

## Tools

${tools.join("\n")}

## Reference

- [OpenAPI](${issuer}/openapi.json): every REST route, its input and output
- [Errors](${issuer}/errors): each code, its status and what to do
- [Connect](${issuer}/connect): setting up agents and IDEs, with one line or click
- [Protected resource metadata](${issuer}/.well-known/oauth-protected-resource/mcp): where a client gets its tokens

## Optional

- [State](${issuer}/ready): whether the server serves
`;
}

export const llmsRoutes: Route[] = [
  {
    method: "GET",
    path: "/llms.txt",
    guard: "open",
    handler: (c) =>
      c.body(llmsText(c.env), 200, {
        "Content-Type": "text/plain; charset=utf-8",
        "Cache-Control": "public, max-age=3600",
        "X-Content-Type-Options": "nosniff",
      }),
  },
];
