/** Unique, and in the order of time, so that rows keyed by it are appended and not scattered. */
export const newId = (kind: "call" | "req"): string =>
  `${kind}_${Date.now().toString(36)}${crypto.randomUUID().slice(9).replaceAll("-", "")}`;
