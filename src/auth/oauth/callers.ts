import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import type { Credential, Surface } from "../bearer.ts";

export const looksLikeToken = (token: string): boolean => token.split(":").length === 3;
export async function callerOfToken(_env: Env, _token: string, _surface: Surface): Promise<Credential> {
  throw new WaypostError("unauthenticated", "temporary");
}
