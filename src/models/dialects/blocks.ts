import type {
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
  SharedV4ProviderMetadata,
} from "@ai-sdk/provider";

/** A piece of an answer that dialects frame on its own. */
export interface Block {
  kind: "text" | "reasoning" | "tool";
  /** Its place in the answer, from 0. */
  n: number;
  /** Of a tool call: the call's id. */
  id: string;
  /** Of a tool call: the tool. */
  name: string;
  /** Words, or a tool's input as JSON; while it streams, so far. */
  text: string;
  /** What Anthropic signs its thinking with, and thinking that it keeps to itself. */
  signature?: string;
  redacted?: string;
}

export type Step = { do: "open" | "close"; block: Block } | { do: "add"; block: Block; text: string };

/** The blocks of a whole answer, without empty ones. What ran at a provider is not the caller's to run. */
export function blocksOf({ content }: LanguageModelV4GenerateResult): Block[] {
  const sequence = new Sequence();
  for (const [i, part] of content.entries()) {
    if (part.type === "tool-call") sequence.push(part);
    if (part.type !== "text" && part.type !== "reasoning") continue;
    const { type, text: delta, providerMetadata } = part;
    sequence.push({ type: `${type}-start`, id: `${i}`, providerMetadata });
    sequence.push({ type: `${type}-delta`, id: `${i}`, delta });
    sequence.push({ type: `${type}-end`, id: `${i}` });
  }
  sequence.end();
  return sequence.blocks;
}

/**
 * Brings the parts of a stream in the order dialects write them: one block after the other, each opened once it holds
 * something and closed before the next. Parts of a block whose turn has not come wait.
 */
export class Sequence {
  readonly blocks: Block[] = [];
  readonly #ended = new Set<Block>();
  readonly #open = new Map<string, Block>();
  /** The block whose turn it is. */
  #turn = 0;
  #opened = false;
  #steps: Step[] = [];

  /** What a part leads to; nothing for parts that are no content. */
  push(part: LanguageModelV4StreamPart): Step[] {
    switch (part.type) {
      case "text-delta":
        this.#say("text", part.id, part.delta);
        break;
      case "reasoning-start":
      case "reasoning-delta":
      case "reasoning-end":
        this.#think(part.id, part.type === "reasoning-delta" ? part.delta : "", part.providerMetadata);
        if (part.type === "reasoning-end") this.#end(`reasoning ${part.id}`);
        break;
      case "text-end":
        this.#end(`text ${part.id}`);
        break;
      case "tool-input-start":
        if (!part.providerExecuted) this.#begin("tool", part.id, part.toolName);
        break;
      case "tool-input-delta": {
        const block = this.#open.get(`tool ${part.id}`);
        if (block) this.#add(block, part.delta);
        break;
      }
      case "tool-call":
        if (!part.providerExecuted) this.#called(part.toolCallId, part.toolName, part.input);
        break;
    }
    return this.#take();
  }

  /** The end of the content: whatever waits has its turn. */
  end(): Step[] {
    for (const block of this.blocks) this.#ended.add(block);
    this.#advance();
    return this.#take();
  }

  #take(): Step[] {
    const steps = this.#steps;
    this.#steps = [];
    return steps;
  }

  #say(kind: "text" | "reasoning", id: string, delta: string): void {
    if (delta === "") return;
    this.#add(this.#open.get(`${kind} ${id}`) ?? this.#begin(kind, id, ""), delta);
  }

  #think(id: string, delta: string, metadata: SharedV4ProviderMetadata | undefined): void {
    const { signature, redactedData } = metadata?.anthropic ?? {};
    this.#say("reasoning", id, delta);
    if (typeof signature !== "string" && typeof redactedData !== "string") return;
    const block = this.#open.get(`reasoning ${id}`) ?? this.#begin("reasoning", id, "");
    if (typeof signature === "string") block.signature = (block.signature ?? "") + signature;
    if (typeof redactedData === "string") block.redacted = redactedData;
  }

  /** The whole input of a call, of which pieces may have come before. */
  #called(id: string, name: string, input: string): void {
    const known = this.blocks.find((block) => block.kind === "tool" && block.id === id);
    const block = known ?? this.#begin("tool", id, name);
    if (!this.#ended.has(block)) this.#add(block, input.startsWith(block.text) ? input.slice(block.text.length) : "");
    this.#end(`tool ${id}`);
  }

  #begin(kind: Block["kind"], id: string, name: string): Block {
    // Nothing comes back to words once something else began, nor to input that is complete.
    for (const [key, block] of this.#open) if (block.kind !== "tool" || isComplete(block.text)) this.#end(key);
    const block: Block = { kind, n: this.blocks.length, id, name, text: "" };
    this.blocks.push(block);
    this.#open.set(`${kind} ${id}`, block);
    this.#advance();
    return block;
  }

  #add(block: Block, text: string): void {
    block.text += text;
    if (text !== "" && this.blocks[this.#turn] === block) this.#steps.push({ do: "add", block, text });
  }

  #end(key: string): void {
    const block = this.#open.get(key);
    if (!block) return;
    this.#open.delete(key);
    this.#ended.add(block);
    this.#advance();
  }

  /** Closes what has ended and opens what comes after it. */
  #advance(): void {
    for (let block = this.blocks[this.#turn]; block; block = this.blocks[this.#turn]) {
      if (!this.#opened) {
        this.#steps.push({ do: "open", block });
        if (block.text !== "") this.#steps.push({ do: "add", block, text: block.text });
        this.#opened = true;
      }
      if (!this.#ended.has(block)) return;
      this.#steps.push({ do: "close", block });
      this.#turn++;
      this.#opened = false;
    }
  }
}

function isComplete(json: string): boolean {
  if (!json.trimEnd().endsWith("}")) return false;
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}
