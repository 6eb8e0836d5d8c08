import { rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { Kysely } from 'kysely';
import { migrate } from '../migrate.ts';
import type { Schema } from '../schema.ts';
import { openSqlite } from '../sqlite.ts';
import { migrationsNamed } from './applied-migrations.ts';
import { sqliteReader, withSqliteReader } from './sqlite-reader.ts';
import { type Column, type Row, SEARCH, TABLES, type TableName } from './tables.ts';
import type { Target } from './target.ts';

/**
 * Makes an SQLite file (0600) and has it filled. It is whole, and in one piece without a log beside it, when `fill` is
 * done; else it is removed again. It is not on the disk yet: `settle` of sqlite-place.ts sees to that.
 * @param file is not there, or a rest of an earlier try.
 */
export async function fillSqlite<T>(
  file: string,
  migrations: readonly string[],
  fill: (target: Target) => Promise<T>,
): Promise<T> {
  removeSqlite(file);
  try {
    await createTables(file, migrations);
    const db = new DatabaseSync(file);
    try {
      return await fill(targetOver(db, file));
    } finally {
      if (db.isOpen) db.close();
    }
  } catch (error) {
    removeSqlite(file);
    throw error;
  }
}

/** Removes an SQLite file that nobody uses, and what may be beside it. */
export function removeSqlite(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
}

async function createTables(file: string, migrations: readonly string[]): Promise<void> {
  const db = new Kysely<Schema>({ dialect: await openSqlite(file) });
  try {
    await migrate(db, 'sqlite', migrationsNamed(migrations, 'the source'));
  } finally {
    await db.destroy();
  }
}

function targetOver(db: DatabaseSync, file: string): Target {
  // Nobody sees it before it is whole, so nothing of it has to be taken back.
  db.exec('pragma journal_mode = delete');
  db.exec('pragma journal_mode = off; pragma synchronous = off; begin exclusive');
  // What the migrations themselves have put there is moved like everything else.
  const { shapes } = sqliteReader(db);
  for (const table of TABLES) {
    const { found } = db.prepare('select count(*) as found from sqlite_schema where name = ?').get(table) ?? {};
    if (found === 1 && db.prepare(`select 1 from "${table}" limit 1`).get()) db.exec(`delete from "${table}"`);
  }
  return {
    shapes,
    insert: async (table, columns, rows) => insertRows(db, table, columns, rows),
    // biome-ignore lint/suspicious/useAwait: one interface for both databases
    setLastNumbers: async (numbers) => {
      for (const [table, last] of numbers) {
        db.prepare('delete from sqlite_sequence where name = ?').run(table);
        db.prepare('insert into sqlite_sequence (name, seq) values (?, ?)').run(table, last);
      }
    },
    readAgain: async (work) => {
      if (db.isOpen) {
        db.exec('commit');
        db.close();
      }
      return await withSqliteReader(file, false, work);
    },
  };
}

function insertRows(db: DatabaseSync, table: TableName, columns: readonly Column[], rows: readonly Row[]): void {
  const names = table === SEARCH ? ['rowid', 'words'] : columns.map(({ name }) => `"${name}"`);
  const values = names.map((name) => (name === 'rowid' ? 'cast(? as integer)' : '?'));
  const statement = db.prepare(`insert into "${table}" (${names.join()}) values (${values.join()})`);
  for (const row of rows) statement.run(...row.map((value) => (typeof value === 'boolean' ? Number(value) : value)));
}
