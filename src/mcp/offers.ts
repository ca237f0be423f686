/** What the server offers beside tools; loaded when a client first asks for any of it. */
export { complete } from "./completion.ts";
export { getPrompt, listPrompts } from "./prompts.ts";
export { readResource } from "./read_resource.ts";
export { listResources, listTemplates } from "./resources.ts";
