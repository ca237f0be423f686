import { isStopword } from "../search/stopwords.ts";
import { tokenize } from "../search/tokens.ts";
import type { ChatMessage } from "./types.ts";

/** Earlier turns that a question may lean on. */
const MAX_TURNS = 3;
/** What one of them adds at most. */
const MAX_TURN_CHARS = 400;

/** A beginning that goes on from what was said. */
const GOES_ON = /^\W*(?:and|but|or|also|then|so|plus|what about|how about|ok(?:ay)?|same)\b/i;
/** Words that stand for something named before. */
const REFERS = /\b(?:it|its|itself|they|them|their|theirs|that|those|these|this|one|ones|he|him|his|she|her)\b/i;
/** A question of more words of its own than this stands alone whatever it refers to. */
const MAX_OWN_WORDS = 4;
const MAX_FRAGMENT_WORDS = 3;

/**
 * What the user asks, for a search: the last message, and behind it the earlier questions it leans on ("and how do I turn it
 * off?"). Told by English words; in other languages only very short questions are taken for a follow-up.
 */
export function questionOf(messages: readonly Pick<ChatMessage, "role" | "content">[]): string {
  const said = messages
    .filter(({ role, content }) => role === "user" && content.trim() !== "")
    .map((each) => each.content);
  const parts = said.slice(-1);
  for (let i = said.length - 1; i > 0 && parts.length <= MAX_TURNS && leansOnEarlier(said[i] as string); i--) {
    parts.push((said[i - 1] as string).slice(0, MAX_TURN_CHARS));
  }
  return parts.join("\n");
}

function leansOnEarlier(question: string): boolean {
  const words = tokenize(question.slice(0, MAX_TURN_CHARS * 2)).map(({ word }) => word);
  const own = words.filter((word) => !isStopword(word)).length;
  if (words.length <= MAX_FRAGMENT_WORDS || own === 0) return true;
  return own <= MAX_OWN_WORDS && (GOES_ON.test(question) || REFERS.test(question));
}
