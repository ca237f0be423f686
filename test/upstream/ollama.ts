import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "./server.ts";

/** `GET /api/tags` of an Ollama with three models, one of them for embeddings. */
export async function ollamaTags(_request: IncomingMessage, response: ServerResponse): Promise<void> {
  json(response, 200, {
    models: [
      { name: "qwen3:8b", model: "qwen3:8b", size: 5_200_000_000, details: { family: "qwen3" } },
      {
        name: "nomic-embed-text:latest",
        model: "nomic-embed-text:latest",
        size: 274_000_000,
        details: { family: "nomic-bert" },
      },
      { name: "llama3.2:1b", model: "llama3.2:1b", size: 1_300_000_000, details: { family: "llama" } },
    ],
  });
}
