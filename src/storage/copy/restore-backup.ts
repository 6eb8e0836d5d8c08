import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { migrationsNamed } from './applied-migrations.ts';
import { requireWhole } from './backup-sqlite.ts';
import { copyTables, requireSameSums, sumTables } from './copy-tables.ts';
import { copyFile } from './file-hash.ts';
import { isKey, keyFileOf, type Sealing, sealingOf } from './key-of-database.ts';
import { DATABASE_FILE, KEY_FILE, type Manifest, readBackup, requireSame, sumsOf } from './manifest.ts';
import { fillPostgres } from './postgres-target.ts';
import type { Progress } from './reader.ts';
import { type KeyRestore, keyRestore } from './restore-key.ts';
import { placeSqlite, requireNoLogs, settle } from './sqlite-place.ts';
import { openSqlite, withSqliteReader } from './sqlite-reader.ts';
import { removeSqlite } from './sqlite-target.ts';

/** Which jobs there were. What is to be done is read from the runs themselves, so a restored server needs none. */
const ENGINE_FILE = 'engine.db';

/** What is restored, and where to. */
export interface RestoreOrder {
  folder: string;
  home: string;
  /** PostgreSQL; undefined: `profclaw.db` of the home folder. */
  databaseUrl: string | undefined;
  /** The secret key, if the environment gives it. */
  keyFromEnvironment: string | undefined;
  /** What is there already is put aside, with this in its name; undefined: it is refused. */
  stamp: string | undefined;
  progress: Progress;
}

/** What was done. */
export interface Restored {
  manifest: Manifest;
  /** Where what was there before is now: files, or a schema. */
  aside: string[];
  /** How many stored secrets cannot be opened with what keys there are. */
  locked: number;
}

/**
 * Checks a backup, and puts it into place as a whole. Until then everything is as it was.
 * @throws Error for a person if it is not whole, something is there already, or a server uses that.
 */
export async function restoreBackup(order: RestoreOrder): Promise<Restored> {
  const { folder, home, databaseUrl, stamp } = order;
  const manifest = await readBackup(folder);
  migrationsNamed(manifest.migrations, 'the backup');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const key = keyRestore(KEY_FILE in manifest.files ? join(folder, KEY_FILE) : undefined, home, stamp);
  try {
    const restore = databaseUrl === undefined ? restoreFile : restorePostgres;
    const { aside, sealing } = await restore(order, manifest, key);
    return {
      manifest,
      aside: [...aside, ...key.adopt()],
      locked: isOpened(order, sealing) ? 0 : sealing.sealed,
    };
  } catch (error) {
    key.discard();
    throw error;
  }
}

interface Placed {
  aside: string[];
  sealing: Sealing;
}

async function restoreFile(order: RestoreOrder, manifest: Manifest, key: KeyRestore): Promise<Placed> {
  const { folder, home, stamp } = order;
  const file = join(home, DATABASE_FILE);
  requireRoom(home, stamp);
  const incoming = `${file}.incoming`;
  removeSqlite(incoming);
  try {
    const hash = await copyFile(join(folder, DATABASE_FILE), incoming);
    // What was copied, not what was looked at a moment ago.
    requireSame(join(folder, DATABASE_FILE), manifest.files[DATABASE_FILE] ?? hash, hash);
    await checkTables(incoming, manifest, order.progress);
    const sealing = sealingOf(incoming);
    const asideFile = stamp === undefined ? undefined : `${file}.replaced-${stamp}`;
    const engine: string[] = [];
    const aside = placeSqlite(incoming, file, asideFile, () => {
      key.prepare();
      if (stamp !== undefined) engine.push(...putEngineAside(home, stamp));
    });
    key.place();
    removeSqlite(incoming);
    settle(home);
    return { aside: [...aside, ...engine], sealing };
  } catch (error) {
    removeSqlite(incoming);
    throw error;
  }
}

async function restorePostgres(order: RestoreOrder, manifest: Manifest, key: KeyRestore): Promise<Placed> {
  const { folder, databaseUrl = '', stamp, progress } = order;
  const file = join(folder, DATABASE_FILE);
  const filling = {
    migrations: manifest.migrations,
    replaced: stamp === undefined ? undefined : `profclaw_${stamp.toLowerCase()}`,
  };
  const sealing = sealingOf(file);
  const { aside } = await withSqliteReader(file, false, async (reader, db) => {
    requireWhole(db, file);
    return await fillPostgres(databaseUrl, filling, async (target) => {
      requireSameSums(sumsOf(manifest), await copyTables(reader, target, progress), NOT_THE_SAME);
      key.prepare();
      // Whether a commit has come through is not always known.
      key.place();
    });
  });
  return { aside: aside === undefined ? [] : [`schema ${aside}`], sealing };
}

const NOT_THE_SAME = 'the backup is damaged, its tables are not what the manifest says';

async function checkTables(file: string, manifest: Manifest, progress: Progress): Promise<void> {
  await withSqliteReader(file, false, async (reader, db) => {
    requireWhole(db, file);
    const migrations = await reader.migrations();
    migrationsNamed(migrations, 'the backup');
    if (migrations.join() !== manifest.migrations.join()) throw new Error(NOT_THE_SAME);
    requireSameSums(sumsOf(manifest), await sumTables(reader, await reader.shapes(), progress), NOT_THE_SAME);
  });
}

/** Before anything takes long. */
function requireRoom(home: string, stamp: string | undefined): void {
  const there = [DATABASE_FILE, ENGINE_FILE].map((name) => join(home, name)).filter((file) => existsSync(file));
  if (there.length > 0 && stamp === undefined)
    throw new Error(`there is a profclaw already (${there.join(', ')}); with --replace it is put aside`);
  requireNoLogs(join(home, DATABASE_FILE), stamp);
  for (const file of there) openSqlite(file, true).close();
}

/** It may know jobs of the same runs as done that are still to be done. */
function putEngineAside(home: string, stamp: string): string[] {
  const aside: string[] = [];
  for (const suffix of ['', '-wal', '-shm']) {
    const file = join(home, ENGINE_FILE + suffix);
    if (!existsSync(file)) continue;
    const place = join(home, `${ENGINE_FILE}.replaced-${stamp}${suffix}`);
    renameSync(file, place);
    if (suffix === '') aside.push(place);
  }
  return aside;
}

function isOpened({ home, keyFromEnvironment }: RestoreOrder, { fingerprint, sealed }: Sealing): boolean {
  if (sealed === 0) return true;
  if (keyFromEnvironment !== undefined) return isKey(keyFromEnvironment, fingerprint);
  return keyFileOf(home, fingerprint) !== undefined;
}
