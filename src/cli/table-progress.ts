import type { Progress } from '../storage/copy/reader.ts';
import { count, openProgress, type ProgressLine } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** Shows how far the tables are while `work` goes on. */
export async function withTableProgress<T>(
  terminal: Pick<Terminal, 'error'>,
  work: (progress: Progress, line: ProgressLine) => Promise<T>,
): Promise<T> {
  const line = openProgress(terminal);
  try {
    return await work((table, step, done, total) => line.show(step, table, { done, total, unit: 'rows' }), line);
  } finally {
    line.end();
  }
}

/** Says how many tables and rows there are. */
export function totalOf(sums: ReadonlyMap<string, { rows: number }>): string {
  const rows = [...sums.values()].reduce((sum, one) => sum + one.rows, 0);
  return `${count(rows)} rows of ${sums.size} tables`;
}

/** A moment as a part of names: `20261129T010203Z`. */
export function stampOf(date: Date): string {
  return `${date.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}
