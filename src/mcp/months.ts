/** Months of usage, `YYYY-MM` in UTC. */

/** Usage is reported over ranges of 13 months. */
const KEPT = 13;

export const thisMonth = (): string => new Date().toISOString().slice(0, 7);

/** The newest first. */
export function recentMonths(): string[] {
  const now = new Date();
  return Array.from({ length: KEPT }, (_, back) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 7),
  );
}
