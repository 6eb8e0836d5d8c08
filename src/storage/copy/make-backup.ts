import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { DatabaseOptions } from '../database.ts';
import { sqliteCode } from '../sqlite-busy.ts';
import { backupSqlite } from './backup-sqlite.ts';
import { copyTables, type TableSums } from './copy-tables.ts';
import { removeDeadBackups } from './dead-backups.ts';
import { copyFile, type FileHash, hashFile } from './file-hash.ts';
import { keyFileOf, sealingOf } from './key-of-database.ts';
import { DATABASE_FILE, KEY_FILE, MANIFEST_FILE, manifestText } from './manifest.ts';
import { withPostgresReader } from './postgres-reader.ts';
import type { Progress } from './reader.ts';
import { settle } from './sqlite-place.ts';
import { fillSqlite } from './sqlite-target.ts';

const SQLITE_FULL = 13;

/** What is backed up, and where to. */
export interface BackupOrder extends DatabaseOptions {
  /** Is not there yet, or empty. */
  folder: string;
  /** The folder with the secret key; undefined: the key is not to be in the backup. */
  keyHome: string | undefined;
  /** Of the program. */
  version: string;
  /** How many of how many pages of a file are copied. */
  pages(done: number, total: number): void;
  progress: Progress;
}

/** What was made. */
export interface Backup {
  folder: string;
  sums: TableSums;
  bytes: number;
  hasKey: boolean;
}

/**
 * Makes a backup, also beside running servers. It is written into a folder beside, and gets its name when all of it is
 * on the disk: a folder of that name is whole. What was begun and killed is removed by the next one.
 * @throws Error for a person
 */
export async function makeBackup(order: BackupOrder): Promise<Backup> {
  const folder = resolve(order.folder);
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new Error(`${folder} is not empty: a backup goes into a folder of its own`);
  mkdirSync(dirname(folder), { recursive: true });
  removeDeadBackups(folder);
  const incoming = `${folder}.incoming-${process.pid}`;
  rmSync(incoming, { recursive: true, force: true });
  mkdirSync(incoming, { mode: 0o700 });
  try {
    const made = await fill(incoming, order);
    settle(incoming);
    renameSync(incoming, folder);
    settle(dirname(folder));
    return { folder, ...made };
  } catch (error) {
    rmSync(incoming, { recursive: true, force: true });
    if (isFull(error)) throw new Error(`there is no room for the backup in ${dirname(folder)}`, { cause: error });
    throw error;
  }
}

async function fill(folder: string, order: BackupOrder): Promise<Omit<Backup, 'folder'>> {
  const createdAt = new Date().toISOString();
  const file = join(folder, DATABASE_FILE);
  const { migrations, sums } = await copyDatabase(file, order);
  settle(file);
  const files: Record<string, FileHash> = { [DATABASE_FILE]: await hashFile(file) };
  if (order.keyHome !== undefined) {
    const key = keyFileOf(order.keyHome, sealingOf(file).fingerprint);
    if (key === undefined) {
      throw new Error(
        `the secret key in ${order.keyHome} is not the one of the database: it was rotated at this moment (then try ` +
          'again), or it is not there (then use --without-secret-key, and keep the key elsewhere)',
      );
    }
    files[KEY_FILE] = await copyFile(key, join(folder, KEY_FILE));
  }
  const source = order.databaseUrl === undefined ? ('sqlite' as const) : ('postgres' as const);
  const text = manifestText({ profclaw: order.version, createdAt, source, migrations, files }, sums);
  writeFileSync(join(folder, MANIFEST_FILE), text, { mode: 0o600, flush: true });
  const bytes = Object.values(files).reduce((sum, one) => sum + one.bytes, 0);
  return { sums, bytes, hasKey: KEY_FILE in files };
}

async function copyDatabase(
  copy: string,
  { databaseUrl, file = '', pages, progress }: BackupOrder,
): Promise<{ migrations: string[]; sums: TableSums }> {
  if (databaseUrl === undefined) return await backupSqlite(file, copy, pages, progress);
  return await withPostgresReader(databaseUrl, false, async (reader) => {
    const migrations = await reader.migrations();
    const sums = await fillSqlite(copy, migrations, (target) => copyTables(reader, target, progress));
    return { migrations, sums };
  });
}

function isFull(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_FULL || (error instanceof Error && 'code' in error && error.code === 'ENOSPC');
}
