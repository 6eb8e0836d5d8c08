import type { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a query waits for another process's (or connection's) lock before it fails, in milliseconds. */
const BUSY_TIMEOUT_MS = 5000;

const SQLITE_BUSY = 5;

/**
 * Runs `work`, again and again while another connection holds the file's lock, for up to `BUSY_TIMEOUT_MS`.
 * SQLite's own busy timeout sleeps inside the call and so stops the whole event loop; two connections of one process
 * would even wait for each other until it ends. Inside a transaction nothing is repeated.
 */
export async function whileBusy<T>(db: DatabaseSync, work: () => T): Promise<T> {
  const deadline = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (sqliteCode(error) !== SQLITE_BUSY || db.isTransaction || performance.now() > deadline) throw error;
    }
    await sleep(2 + Math.random() * 20);
  }
}

/** The primary result code (https://sqlite.org/rescode.html) of an error from node:sqlite, undefined for others. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error && 'errcode' in error && typeof error.errcode === 'number')) return undefined;
  return error.errcode & 0xff;
}
