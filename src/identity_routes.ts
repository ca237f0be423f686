import { oauthRoutes } from "./api/oauth.ts";
import { webhookRoutes } from "./api/webhooks.ts";
import type { Route } from "./gate/route.ts";
import { httpApp } from "./http.ts";
import { webRoutes } from "./web/routes.ts";
import { upstreamRoutes } from "./web/upstream.ts";

/** Where programs and people become known: OAuth, webhooks of identity providers, and the pages. */
export const identityRoutes: readonly Route[] = [...oauthRoutes, ...webhookRoutes, ...webRoutes, ...upstreamRoutes];
export const identityApp = httpApp(identityRoutes);
