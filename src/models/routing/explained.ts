import type { ModelInfo } from "../types.ts";
import type { Attempt } from "./attempts.ts";

/** How the choice was made, and which models did not answer before. */
export function explained(why: string, info: Pick<ModelInfo, "id">, attempts: readonly Attempt[]): string {
  const before = new Map(attempts.flatMap((each) => (each.model === info.id ? [] : [[each.model, each.outcome]])));
  const told = [...before].map(([model, outcome]) =>
    outcome === "passed_over"
      ? `${model} passed over: its provider failed several times in a row`
      : `${model} failed: ${outcome}`,
  );
  return [why, ...told].join("; ");
}
