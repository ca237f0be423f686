/** Putting passages together into answers. Inputs are ordered best first. */

/** Passages of one document that an answer holds before others had their turn. */
const perDocument = 3;

/**
 * The best `limit` items, at most three of one group while another group has something to say; free places are then
 * filled by rank. Order by rank is kept.
 */
export function diversify<T>(ranked: readonly T[], groupOf: (item: T) => string, limit: number): T[] {
  const taken = new Map<string, number>();
  const chosen = new Set<T>();
  for (const item of ranked) {
    if (chosen.size === limit) break;
    const group = groupOf(item);
    const n = taken.get(group) ?? 0;
    if (n >= perDocument) continue;
    taken.set(group, n + 1);
    chosen.add(item);
  }
  for (const item of ranked) {
    if (chosen.size === limit) break;
    chosen.add(item);
  }
  return ranked.filter((item) => chosen.has(item));
}

/** A document is as good as its best passage: the distinct groups, best first. */
export function bestOfEach<T>(ranked: readonly T[], groupOf: (item: T) => string): T[] {
  const seen = new Set<string>();
  return ranked.filter((item) => {
    const group = groupOf(item);
    return !seen.has(group) && seen.add(group);
  });
}
