import type { BudgetPeriod } from './access-schema.ts';

/** A stretch of the UTC calendar, ISO-8601; one without an end is all the time there is. */
export interface Period {
  start: string;
  end: string | null;
}

/** The period of this kind that a moment lies in. @param now milliseconds since 1970. */
export function periodAt(kind: BudgetPeriod, now: number): Period {
  if (kind === 'total') return { start: new Date(0).toISOString(), end: null };
  const date = new Date(now);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  if (kind === 'month') return between(Date.UTC(year, month), Date.UTC(year, month + 1));
  // Sunday is 0, and the last day of its week.
  const first = kind === 'week' ? day - ((date.getUTCDay() + 6) % 7) : day;
  return between(Date.UTC(year, month, first), Date.UTC(year, month, first + (kind === 'week' ? 7 : 1)));
}

function between(start: number, end: number): Period {
  return { start: new Date(start).toISOString(), end: new Date(end).toISOString() };
}
