import type { Message } from "./types.ts";

const TITLE_LENGTH = 60;

/** One line of at most 60 characters, cut between words where the text has any. Empty when the text is blank. */
export function shortenTitle(text: string): string {
  const characters = Array.from(text.toWellFormed().replace(/\s+/gu, " ").trim());
  if (characters.length <= TITLE_LENGTH) return characters.join("");
  const cut = characters.slice(0, TITLE_LENGTH);
  const wordEnd = characters[TITLE_LENGTH] === " " ? TITLE_LENGTH : cut.lastIndexOf(" ");
  // One very long word (a URL, or a script without spaces) is cut inside rather than dropped.
  const kept = wordEnd > TITLE_LENGTH / 2 ? cut.slice(0, wordEnd) : cut.slice(0, TITLE_LENGTH - 1);
  return `${kept.join("").replace(/[\s.,;:]+$/u, "")}…`;
}

/** The title a session gets from its first user message; empty when there is none yet. */
export function titleFromMessages(messages: readonly Message[]): string {
  for (const message of messages) {
    const title = message.role === "user" ? shortenTitle(message.content) : "";
    if (title) return title;
  }
  return "";
}
