/** Longest text judged at once, and how much two neighbours share, so that nothing hides at a cut. */
const PIECE = 8_000;
const SHARED = 400;

/** A text in pieces that a moderator can take; the text itself when it is short. */
export function pieces(text: string): string[] {
  if (text.length <= PIECE) return [text];
  const cut: string[] = [];
  for (let at = 0; at + SHARED < text.length; at += PIECE - SHARED) cut.push(text.slice(at, at + PIECE));
  return cut;
}
