import { pattern } from "./pattern.ts";

const GAP = pattern(String.raw`[\p{C}\s]+`, "gu");

/** Text as it may be shown in one line: what nobody sees, or what would reorder the rest, is a space. */
export const visible = (text: string): string => text.replace(GAP(), " ").trim();
