import type * as z from "zod";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";

/** A setting that holds JSON; undefined when it is not set. @throws WaypostError `not_configured` naming the setting */
export function jsonSetting<S extends z.ZodType>(
  env: Env,
  name: "MODEL_PROVIDERS" | "MODEL_PRICES" | "AZURE_OPENAI_DEPLOYMENTS" | "ROUTES",
  schema: S,
): z.output<S> | undefined {
  const text = env[name];
  if (!text) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new WaypostError("not_configured", `${name} is not valid JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new WaypostError("not_configured", `${name}: ${issue?.path.join(".") || "the value"}: ${issue?.message}`);
}
