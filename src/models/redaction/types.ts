/** What can be kept from a provider. `card` covers payment cards and bank accounts (IBAN), `key` all kinds of secrets. */
export const KINDS = ["email", "phone", "card", "key", "name"] as const;
export type Kind = (typeof KINDS)[number];

/** Word of a placeholder: [EMAIL_1]. `TERM` stands for what the caller named. */
export type Label = "EMAIL" | "PHONE" | "CARD" | "IBAN" | "KEY" | "NAME" | "TERM";

/** A private value in a text; offsets in UTF-16 code units, `end` exclusive. */
export interface Found {
  label: Label;
  start: number;
  end: number;
}

/**
 * Finds the values of one kind, in order of their place. Takes time linear in the text's length, whatever the text:
 * every pattern is bounded, and none begins again inside what it just walked through.
 */
export type Finder = (text: string) => Found[];
