import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import type { Credential } from "../bearer.ts";

export const looksLikeJwt = (token: string): boolean => token.split(".").length === 3;
export async function callerOfJwt(_env: Env, _token: string): Promise<Credential> {
  throw new WaypostError("unauthenticated", "temporary");
}
