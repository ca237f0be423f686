import { WaypostError } from "../errors.ts";
import type { Tool } from "./define.ts";
import { agentTools } from "./registry.ts";

/**
 * The tools that an agent's URL asks for: all, or those of `?tools=search,fetch`, in the list's own order.
 * @throws WaypostError `invalid_input` for a name that no tool has: a list that is silently shorter would be a riddle
 */
export function toolsFor(url: string): readonly Tool[] {
  const asked = url.includes("?") ? new URL(url).searchParams.get("tools") : null;
  if (asked === null) return agentTools;
  const names = new Set(asked.split(",").map((name) => name.trim()));
  const known = agentTools.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    const message = `There is no tool "${name.slice(0, 64)}". There are: ${known.join(", ")}.`;
    throw new WaypostError("invalid_input", `tools: ${message}`, { issues: [{ path: "tools", message }] });
  }
  return agentTools.filter(({ name }) => names.has(name));
}
