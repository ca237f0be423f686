/** The calendar month of a time, `YYYY-MM`, UTC. */
export const monthOf = (ms: number): string => new Date(ms).toISOString().slice(0, 7);

/** When a month ends and the next begins, ISO 8601. */
export const monthEnd = (month: string): string => new Date(spanOf(month).end).toISOString();

/** When a month begins and ends, in ms since the epoch. */
export interface MonthSpan {
  begin: number;
  end: number;
}

/** Reports ask for the running month again and again. */
let last: { month: string; span: MonthSpan } | undefined;

export function spanOf(month: string): MonthSpan {
  if (last?.month === month) return last.span;
  const [year, number] = month.split("-").map(Number) as [number, number];
  const span = { begin: Date.UTC(year, number - 1, 1), end: Date.UTC(year, number, 1) };
  last = { month, span };
  return span;
}
