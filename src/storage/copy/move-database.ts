import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseOptions } from '../database.ts';
import { copyTables, type TableSums } from './copy-tables.ts';
import { withPostgresReader } from './postgres-reader.ts';
import { fillPostgres } from './postgres-target.ts';
import type { Progress, Reader } from './reader.ts';
import { placeSqlite, requireNoLogs, settle } from './sqlite-place.ts';
import { openSqlite, withSqliteReader } from './sqlite-reader.ts';
import { fillSqlite, removeSqlite } from './sqlite-target.ts';

/** What is moved, and where to. */
export interface MoveOrder {
  from: DatabaseOptions;
  to: DatabaseOptions;
  /** What is in the target already is put aside, with this in its name; undefined: it is refused. */
  stamp: string | undefined;
  progress: Progress;
}

/** What was done. */
export interface Moved {
  sums: TableSums;
  /** Where what was in the target before is now: a file, or a schema. */
  aside: string | undefined;
}

/**
 * Copies a database that nobody uses into an empty one, of the same kind or the other, and compares all tables. The
 * target is there as a whole or not at all; nothing is written to the source.
 * @throws Error for a person if somebody uses one of them, or something is in the target already.
 */
export async function moveDatabase({ from, to, stamp, progress }: MoveOrder): Promise<Moved> {
  const read = from.databaseUrl === undefined ? withSqliteReader : withPostgresReader;
  return await read(from.databaseUrl ?? from.file ?? '', true, async (reader) => {
    const migrations = await reader.migrations();
    if (to.databaseUrl !== undefined) {
      const filling = { migrations, replaced: stamp === undefined ? undefined : `profclaw_${stamp.toLowerCase()}` };
      const { value, aside } = await fillPostgres(to.databaseUrl, filling, (target) =>
        copyTables(reader, target, progress),
      );
      return { sums: value, aside };
    }
    return await moveToFile(reader, migrations, to.file ?? '', stamp, progress);
  });
}

async function moveToFile(
  reader: Reader,
  migrations: readonly string[],
  file: string,
  stamp: string | undefined,
  progress: Progress,
): Promise<Moved> {
  const isThere = existsSync(file);
  // Before anything takes long.
  if (isThere && stamp === undefined)
    throw new Error(`there is a database at ${file} already; with --replace it is put aside`);
  if (isThere) openSqlite(file, true).close();
  const aside = stamp === undefined ? undefined : `${file}.replaced-${stamp}`;
  requireNoLogs(file, aside);
  const incoming = `${file}.incoming`;
  const sums = await fillSqlite(incoming, migrations, (target) => copyTables(reader, target, progress));
  try {
    const [put] = placeSqlite(incoming, file, aside);
    return { sums, aside: put };
  } finally {
    removeSqlite(incoming);
    settle(dirname(file));
  }
}
