import type { Route } from "../gate/route.ts";
import { accountRoutes } from "./account.ts";
import { assetRoutes } from "./assets.ts";
import { claimRoutes } from "./claim.ts";
import { connectRoutes } from "./connect.ts";
import { consentRoutes } from "./consent.ts";
import { signInRoutes } from "./sign_in.ts";
import { signUpRoutes } from "./sign_up.ts";
import { stepUpRoutes } from "./step_up.ts";

/** The pages for people: signing in, consent, the account. Signing in at a provider is in `upstream.ts`. */
export const webRoutes: Route[] = [
  ...assetRoutes,
  ...signInRoutes,
  ...signUpRoutes,
  ...claimRoutes,
  ...consentRoutes,
  ...accountRoutes,
  ...stepUpRoutes,
  ...connectRoutes,
];
