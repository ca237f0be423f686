let crypto: typeof import("node:crypto") | undefined;

/** Lowercase hex SHA-256 of a text in UTF-8, at once: for inside a storage transaction. */
export function sha256(text: string): string {
  // A start would load what is imported, and this takes milliseconds.
  crypto ??= process.getBuiltinModule("node:crypto");
  // The one-shot `hash` takes a longer way here.
  return crypto.createHash("sha256").update(text).digest("hex");
}
