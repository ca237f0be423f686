import * as z from "zod";
import type { Env } from "../../env.ts";
import { jsonSetting } from "../json_setting.ts";
import { TIERS, type Tier } from "./tiers.ts";

const Names = z.array(z.string().min(1).max(200)).min(1).max(4);
const RoutesSetting = z.strictObject({
  ...(Object.fromEntries(TIERS.map((tier) => [tier, Names.optional()])) as Record<Tier, z.ZodOptional<typeof Names>>),
  fallbacks: z.record(z.string(), Names).optional(),
});

/** What the operator decided about routing. */
export interface Routes {
  /** Models of a tier, in the order in which they are asked, in place of the built-in choice. */
  tiers: Partial<Record<Tier, string[]>>;
  /** By model id: what is asked when a model that was asked for by name fails. */
  fallbacks: Record<string, string[]>;
}

/** @throws WaypostError `not_configured` */
export function readRoutes(env: Env): Routes {
  const { fallbacks = {}, ...tiers } = jsonSetting(env, "ROUTES", RoutesSetting) ?? {};
  return { tiers, fallbacks };
}
