/**
 * The model alone, which the package offers to packages that build on it: with the provider around it come files, skills,
 * batches and a catalogue, 80 kB that nothing here uses.
 */
export { AnthropicLanguageModel } from "@ai-sdk/anthropic/internal";
