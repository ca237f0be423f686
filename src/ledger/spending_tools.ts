/** Ways to have a model answer: a budget of `chat` counts them all, so that none of them leads around it. */
const CHATS: readonly string[] = ["chat", "chat_completions", "messages", "responses"];

/** The tools whose calls can cost: what a budget can be of. `relay` is usage that was reported afterwards. */
export const SPENDING_TOOLS = [
  "chat",
  "chat_completions",
  "messages",
  "responses",
  "embeddings",
  "enhance_prompt",
  "relay",
] as const;

/** The names by which a call of a tool is bounded: its own, and of any way to chat `chat`'s. */
export const boundAs = (tool: string): readonly string[] =>
  tool !== "chat" && CHATS.includes(tool) ? ["chat", tool] : [tool];

/** The tools that a budget of a tool counts. */
export const countedAs = (tool: string): readonly string[] => (tool === "chat" ? CHATS : [tool]);
