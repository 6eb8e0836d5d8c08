/** A day as far as the clock of the reader goes. */
function startOfDay(date: Date): Date {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate());
}

function daysBefore(date: Date, days: number): Date {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - days);
}

/** Under which heading something stands that was last touched at a time: by day, then by month. `now`: when it is shown. */
export function dayGroup(time: string, now: Date): string {
  const date = new Date(time);
  const today = startOfDay(now);
  if (date >= today) return 'Today';
  if (date >= daysBefore(today, 1)) return 'Yesterday';
  if (date >= daysBefore(today, 7)) return 'Last 7 days';
  const isThisYear = date.getFullYear() === now.getFullYear();
  return date.toLocaleDateString('en', { month: 'long', ...(isThisYear ? {} : { year: 'numeric' }) });
}
