import type { DialectName } from "../../models/dialects/types.ts";
import type { PassPath, PassTarget } from "../../models/pass_target.ts";
import type { ModelInfo, Models } from "../../models/types.ts";

const PATHS: Record<DialectName, PassPath> = {
  "openai-chat": "/chat/completions",
  "openai-responses": "/responses",
  "anthropic-messages": "/messages",
};

/** Where a request is forwarded as it came; undefined where the model's provider does not speak the dialect. */
export function passedTo(
  dialect: DialectName,
  info: ModelInfo,
  models: Models,
): { target: PassTarget; url: string } | undefined {
  const target = models.passThrough(info);
  const url = target?.dialects.includes(dialect) ? target.url(PATHS[dialect]) : undefined;
  return target && url ? { target, url } : undefined;
}

/** The target for a caller who asked for features of its API by name. */
export const withBetas = (target: PassTarget, betas: string | undefined): PassTarget =>
  betas === undefined ? target : { ...target, headers: { ...target.headers, "anthropic-beta": betas } };

export const isPassed = (dialect: DialectName, info: ModelInfo, models: Models): boolean =>
  passedTo(dialect, info, models) !== undefined;
