import { closeSync, openSync } from 'node:fs';
import { backup, DatabaseSync } from 'node:sqlite';
import { requireSameSums, sumTables, type TableSums } from './copy-tables.ts';
import type { Progress } from './reader.ts';
import { withSqliteReader } from './sqlite-reader.ts';

/** Pages that are copied before progress is told. */
const PAGES = 100;

/**
 * Copies an SQLite database, page by page, into a file that is not there yet (0600), also beside a running server, and
 * compares all tables. What is copied is one state, that of the beginning: a server may write meanwhile, and its log
 * grows until the end.
 * @param pages is told how many of how many pages are copied.
 */
export async function backupSqlite(
  file: string,
  copy: string,
  pages: (done: number, total: number) => void,
  progress: Progress,
): Promise<{ migrations: string[]; sums: TableSums }> {
  closeSync(openSync(copy, 'wx', 0o600));
  return await withSqliteReader(file, false, async (source, db) => {
    // The connection is in a transaction, so that the copy does not begin again whenever something is written.
    await backup(db, copy, {
      rate: PAGES,
      progress: ({ totalPages, remainingPages }) => pages(totalPages - remainingPages, totalPages),
    });
    const { page_count: total } = db.prepare('pragma page_count').get() ?? {};
    pages(Number(total), Number(total));
    withoutLog(copy);
    const shapes = await source.shapes();
    const sums = await sumTables(source, shapes, progress);
    await withSqliteReader(copy, false, async (reader, copied) => {
      requireWhole(copied, copy);
      requireSameSums(sums, await sumTables(reader, await reader.shapes(), progress), 'the copy is not the same');
    });
    return { migrations: await source.migrations(), sums };
  });
}

/** @throws Error for a person if the pages of a database do not fit together. */
export function requireWhole(db: DatabaseSync, file: string): void {
  const [first] = db.prepare('pragma integrity_check(1)').all();
  const verdict = String(first?.integrity_check);
  if (verdict !== 'ok') throw new Error(`${file} is damaged: ${verdict}`);
}

/** A file with a log beside it could not be read from where nothing may be written. */
function withoutLog(file: string): void {
  const db = new DatabaseSync(file);
  try {
    db.exec('pragma journal_mode = delete');
  } finally {
    db.close();
  }
}
