import { firstLine } from "./failure.ts";

/** Long enough for a process on this machine; a start does not wait longer for one that may not be there. */
const PATIENCE_MS = 300;
const EMBEDS = /embed|bge-|minilm|bert/i;

interface Tags {
  models: { name: string; size?: number; details?: { family?: string } }[];
}

/**
 * Looks for an Ollama where OLLAMA_HOST says, else on this machine, and gives the settings that make it a provider: its
 * address, and its chat models with the smallest one first. Nothing when there is none, or OLLAMA_HOST is `off`. A stated
 * OLLAMA_HOST or OLLAMA_MODELS stays as it is. `say` is told what was found, or why a stated one did not answer.
 */
export async function findOllama(
  settings: Record<string, string>,
  say: (line: string) => void,
): Promise<Record<string, string>> {
  const { OLLAMA_HOST: stated, OLLAMA_MODELS } = settings;
  if (stated === "off" || OLLAMA_MODELS) return {};
  const host = stated || "127.0.0.1:11434";
  try {
    const names = chatModels(await tagsOf(host));
    say(`Ollama at ${host}: ${names.length} models`);
    return { OLLAMA_HOST: host, ...(names.length > 0 ? { OLLAMA_MODELS: names.join(",") } : {}) };
  } catch (error) {
    if (stated) say(`Ollama at ${host} did not answer: ${firstLine(error)}`);
    return {};
  }
}

async function tagsOf(host: string): Promise<Tags> {
  const { ollamaUrl } = await import("../../src/models/providers/ollama.ts");
  const url = `${ollamaUrl(host).replace(/\/v1$/, "")}/api/tags`;
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: "error" });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const body = (await response.json()) as Tags;
  if (!Array.isArray(body?.models)) throw new Error("its list of models is none");
  return body;
}

function chatModels({ models }: Tags): string[] {
  return models
    .filter(
      ({ name, details }) => typeof name === "string" && !/,/.test(name) && !EMBEDS.test(`${name} ${details?.family}`),
    )
    .sort((a, b) => (a.size ?? 0) - (b.size ?? 0) || (a.name < b.name ? -1 : 1))
    .map(({ name }) => name);
}
