import { pattern } from "../pattern.ts";

/** Text of others inside a prompt: marked so that it can neither end its own place nor pass for another's words. */

export interface Fence {
  /** Random, 64 bits: whoever wrote the text could not know it. */
  readonly key: string;
  /** The text between `<<label key>>` and `<<end label key>>`. */
  wrap(label: string, text: string): string;
}

export function newFence(): Fence {
  const key = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
  return { key, wrap: (label, text) => `<<${label} ${key}>>\n${asData(text)}\n<<end ${label} ${key}>>` };
}

/** Characters nobody sees, in which instructions can hide or by which a text reads otherwise than it is written. */
const UNSEEN = pattern(
  String.raw`(?![\n\r\t])\p{Cc}|[\u200b\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]`,
  "gu",
);

export const withoutUnseen = (text: string): string => text.toWellFormed().replace(UNSEEN(), "");

/** What some servers of open models take for the border of a turn wherever it stands, as their tokenizer does. */
const TURN =
  /<(?=[|\uff5c])|<(?=\/?(?:s|bos|eos|unk|pad|start_of_turn|end_of_turn)>)|<(?=<\/?SYS>>)|\[(?=\/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT)\])/gi;

/** The text with what is unseen left out, and a space in the middle of what could pass for the border of a turn. */
export const asData = (text: string): string => withoutUnseen(text).replace(TURN, "$& ");
