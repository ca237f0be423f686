/** The chat model alone: with the provider around it come completions, embeddings and images, for every start to compile. */
export { OpenAICompatibleChatLanguageModel } from "@ai-sdk/openai-compatible";
