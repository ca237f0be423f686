import type { AnswerCache, KeptText } from "../models/caching.ts";
import type { CachedAnswer } from "../vault/types.ts";
import type { Call } from "./define.ts";

/** How long an answer is kept. */
export const CACHED_MS = 3_600_000;

/** The account's own cached answers. A cache that fails is as good as empty. */
export const answersOf = (call: Call, ttlMs: number, hit: () => void): AnswerCache => ({
  hitBps: call.safety.cacheHitBps,
  hit,
  find: async (key) => {
    try {
      const found = await call.vault.cachedAnswer(key);
      return found.ok ? (found.value as KeptText | null) : null;
    } catch {
      return null;
    }
  },
  keep: async (key, answer) => {
    try {
      await call.vault.keepAnswer({ key, answer: answer as unknown as CachedAnswer, ttlMs });
    } catch {
      // The answer is given all the same.
    }
  },
});
