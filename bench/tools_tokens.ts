import { tokensOfTools } from "./tool_selection/told.ts";

/** Prints what tools/list costs an agent, tool by tool, in tokens of o200k. */
console.info(tokensOfTools().table);
