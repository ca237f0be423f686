import { oauthRoutes } from "./api/oauth.ts";
import { webhookRoutes } from "./api/webhooks.ts";
import type { Route } from "./gate/route.ts";
import { httpApp } from "./http.ts";
import { llmsRoutes } from "./web/llms.ts";
import { webRoutes } from "./web/routes.ts";
import { unknownPage } from "./web/unknown_page.ts";
import { upstreamRoutes } from "./web/upstream.ts";

/** Where programs and people become known: OAuth, webhooks of identity providers, and the pages with what belongs to them. */
export const identityRoutes: readonly Route[] = [
  ...oauthRoutes,
  ...webhookRoutes,
  ...webRoutes,
  ...upstreamRoutes,
  ...llmsRoutes,
];
export const identityApp = httpApp(identityRoutes, unknownPage);
