import { existsSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { setImmediate as comeRound } from 'node:timers/promises';
import { sqliteCode } from '../sqlite-busy.ts';
import { BATCH_ROWS, BATCH_SIZE, type Reader, sizeOf } from './reader.ts';
import { type Column, kindOf, MIGRATION_TABLES, type Row, SEARCH, SEARCH_COLUMNS, TABLES } from './tables.ts';

const SQLITE_BUSY = 5;
/** A command that only looks something up may have the file open for a moment. */
const WAIT_MS = 1000;

/**
 * Reads an SQLite file as it is at this moment, also beside a running server.
 * @param isAlone nobody else, a server that starts meanwhile included, may use the file until `work` is done.
 * @param work may also use the connection, which is in the middle of a transaction.
 * @throws Error for a person if there is no such file, or somebody uses it.
 */
export async function withSqliteReader<T>(
  file: string,
  isAlone: boolean,
  work: (reader: Reader, db: DatabaseSync) => Promise<T>,
): Promise<T> {
  if (!existsSync(file)) throw new Error(`there is no database at ${file}`);
  const db = openSqlite(file, isAlone);
  try {
    return await work(sqliteReader(db), db);
  } finally {
    if (db.isTransaction) db.exec('rollback');
    db.close();
  }
}

/** Opens a file that is there, and begins a transaction. @throws Error for a person */
export function openSqlite(file: string, isAlone: boolean): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: WAIT_MS, readOnly: !isAlone });
  try {
    // In this mode even a write-ahead log is locked against everybody: who has the file open at all is in the way.
    if (isAlone) db.exec('pragma locking_mode = exclusive');
    db.exec(isAlone ? 'begin exclusive' : 'begin');
    db.prepare('select count(*) from sqlite_schema').get();
    return db;
  } catch (error) {
    db.close();
    if (sqliteCode(error) === SQLITE_BUSY)
      throw new Error(`the database ${file} is in use: stop the server first, and whatever else works with it`);
    throw new Error(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Reads over a connection that is in a transaction. */
export function sqliteReader(db: DatabaseSync): Reader {
  return {
    // biome-ignore lint/suspicious/useAwait: one interface for both databases
    migrations: async () => {
      if (!hasTable(db, MIGRATION_TABLES[0])) return [];
      return db
        .prepare(`select name from ${MIGRATION_TABLES[0]} order by name`)
        .all()
        .map(({ name }) => String(name));
    },
    shapes: async () =>
      new Map(TABLES.filter((table) => hasTable(db, table)).map((table) => [table, columnsOf(db, table)])),
    count: async (table) => Number(db.prepare(`select count(*) as n from "${table}"`).get()?.n),
    read: (table, columns) => batchesOf(db, table === SEARCH ? searchQuery(db) : selectOf(table, columns), columns),
    // biome-ignore lint/suspicious/useAwait: as above
    lastNumbers: async () => {
      if (!hasTable(db, 'sqlite_sequence')) return new Map();
      const rows = db.prepare('select name, seq from sqlite_sequence').all();
      return new Map(rows.map(({ name, seq }) => [String(name), Number(seq)]));
    },
  };
}

function hasTable(db: DatabaseSync, table: string): boolean {
  return db.prepare("select 1 from sqlite_schema where type = 'table' and name = ?").get(table) !== undefined;
}

function columnsOf(db: DatabaseSync, table: string): readonly Column[] {
  if (table === SEARCH) return SEARCH_COLUMNS;
  return db
    .prepare('select name, type from pragma_table_info(?) order by name')
    .all(table)
    .map(({ name, type }) => ({ name: String(name), kind: kindOf(table, String(name), String(type)) }));
}

function selectOf(table: string, columns: readonly Column[]): string {
  return `select ${columns.map(({ name }) => `"${name}"`).join()} from "${table}"`;
}

/** The index has no text any more; this reads it back out of the lists of where a word occurs. */
function searchQuery(db: DatabaseSync): string {
  db.exec(`create virtual table if not exists temp.search_words using fts5vocab(main, ${SEARCH}, instance)`);
  return "select cast(doc as text) as entry, group_concat(term, ' ') as words from temp.search_words group by doc";
}

async function* batchesOf(db: DatabaseSync, query: string, columns: readonly Column[]): AsyncIterable<readonly Row[]> {
  const statement = db.prepare(query);
  let batch: Row[] = [];
  let size = 0;
  for (const found of statement.iterate()) {
    const row = columns.map(({ name }) => valueIn(name, found[name]));
    batch.push(row);
    size += sizeOf(row);
    if (batch.length < BATCH_ROWS && size < BATCH_SIZE) continue;
    yield batch;
    // Nothing here ever waits, and progress should be seen.
    await comeRound();
    batch = [];
    size = 0;
  }
  if (batch.length > 0) yield batch;
}

function valueIn(name: string, value: SQLOutputValue | undefined): Row[number] {
  if (value === undefined) throw new Error(`the column ${name} is missing`);
  return typeof value === 'bigint' ? Number(value) : value;
}
