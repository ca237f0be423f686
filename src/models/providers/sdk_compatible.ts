/** The chat model alone: with the provider around it come completions, embeddings and images. */
export { OpenAICompatibleChatLanguageModel } from "@ai-sdk/openai-compatible";
