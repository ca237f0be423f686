import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { createModels } from "./catalogue.ts";
import { readRoutes } from "./routing/setting.ts";
import { TIERS } from "./routing/tiers.ts";

/**
 * Looks for every model that ROUTES and DEFAULT_MODEL name, as the first call that needs it would.
 * @throws WaypostError `not_configured`, naming the setting
 */
export function checkRouting(env: Env): void {
  const models = createModels(env);
  const look = (name: string) => models.route(name, { messages: [], grounded: false });
  const orElse = (name: string, otherwise: (error: WaypostError) => void) => {
    try {
      look(name);
    } catch (error) {
      if (!(error instanceof WaypostError) || error.code === "not_configured") throw error;
      otherwise(error);
    }
  };
  orElse("auto", ({ detail }) => {
    throw new WaypostError("not_configured", `DEFAULT_MODEL: ${detail}`);
  });
  for (const tier of TIERS) look(`auto:${tier}`);
  // Fallbacks of a model that is not offered here wait for the day when it is.
  for (const id of Object.keys(readRoutes(env).fallbacks)) orElse(id, () => {});
}
