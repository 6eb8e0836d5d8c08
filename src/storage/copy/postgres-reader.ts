import { Kysely, sql } from 'kysely';
import { openPostgres } from '../postgres.ts';
import type { Schema } from '../schema.ts';
import { requireUnused } from './postgres-sessions.ts';
import { BATCH_ROWS, BATCH_SIZE, type Reader, sizeOf } from './reader.ts';
import {
  type Column,
  kindOf,
  MIGRATION_TABLES,
  type Row,
  SEARCH,
  SEARCH_COLUMNS,
  type Shapes,
  TABLES,
  type TableName,
} from './tables.ts';

/** The first batch of a table, whose rows may be large. */
const FIRST_ROWS = 20;

/**
 * Reads a PostgreSQL as it is at this moment, also beside running servers.
 * @param isAlone no server may use it now; one that starts meanwhile waits until `work` is done.
 * @throws Error for a person if it cannot be reached, or somebody uses it.
 */
export async function withPostgresReader<T>(
  databaseUrl: string,
  isAlone: boolean,
  work: (reader: Reader, tx: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  const db = new Kysely<Schema>({ dialect: await openPostgres(databaseUrl) });
  try {
    const locked = isAlone ? [...(await shapesOf(db)).keys()] : [];
    const transaction = db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only');
    return await transaction.execute(async (tx) => {
      await allowPauses(tx);
      // Before anything is read, which is the moment that is seen. Servers that nothing shows, or that start now, have
      // to wait with what they would write and would then be missed.
      for (const table of locked) await sql`lock table ${sql.table(table)} in share mode`.execute(tx);
      if (isAlone) await requireUnused(tx);
      return await work(postgresReader(tx), tx);
    });
  } finally {
    await db.destroy();
  }
}

/** The other side may take its time. */
export async function allowPauses(tx: Kysely<Schema>): Promise<void> {
  await sql`set local idle_in_transaction_session_timeout = 0`.execute(tx);
  await sql`set local statement_timeout = 0`.execute(tx);
}

/** Reads in a transaction. */
export function postgresReader(tx: Kysely<Schema>): Reader {
  return {
    migrations: async () => {
      if (!(await hasTable(tx, MIGRATION_TABLES[0]))) return [];
      const { rows } = await sql<{ name: string }>`
        select name from ${sql.table(MIGRATION_TABLES[0])} order by name collate "C"`.execute(tx);
      return rows.map(({ name }) => name);
    },
    shapes: () => shapesOf(tx),
    count: async (table) => {
      const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(tx);
      return rows[0]?.n ?? 0;
    },
    read: (table, columns) => batchesOf(tx, table, columns),
    lastNumbers: () => lastNumbers(tx),
  };
}

/** Does the schema that tables are made in have this one? */
export async function hasTable(tx: Kysely<Schema>, table: string): Promise<boolean> {
  const { rows } = await sql`
    select 1 from information_schema.tables where table_schema = current_schema() and table_name = ${table}`.execute(
    tx,
  );
  return rows.length > 0;
}

async function shapesOf(tx: Kysely<Schema>): Promise<Shapes> {
  const { rows } = await sql<{ table: TableName; name: string; type: string }>`
    select table_name as "table", column_name as name, data_type as type from information_schema.columns
    where table_schema = current_schema() and table_name = any(${TABLES}::text[])
    order by column_name collate "C"`.execute(tx);
  const shapes = new Map<TableName, Column[]>();
  for (const { table, name, type } of rows) {
    if (table === SEARCH) continue;
    const columns = shapes.get(table) ?? [];
    columns.push({ name, kind: kindOf(table, name, type) });
    shapes.set(table, columns);
  }
  if (rows.some(({ table }) => table === SEARCH)) shapes.set(SEARCH, [...SEARCH_COLUMNS]);
  return shapes;
}

async function* batchesOf(
  tx: Kysely<Schema>,
  table: TableName,
  columns: readonly Column[],
): AsyncIterable<readonly Row[]> {
  const cursor = sql.id(`moving_${table}`);
  await sql`declare ${cursor} no scroll cursor for ${selectOf(table, columns)}`.execute(tx);
  try {
    for (let count = FIRST_ROWS; ; ) {
      const { rows } = await sql<Record<string, Row[number]>>`
        fetch forward ${sql.lit(count)} from ${cursor}`.execute(tx);
      if (rows.length === 0) return;
      const batch = rows.map((row) => columns.map(({ name }) => row[name] ?? null));
      const size = batch.reduce((sum, row) => sum + sizeOf(row), 0);
      yield batch;
      // So many that the next batch is as large as it may be, if its rows are like these.
      const fitting = Math.floor((batch.length * BATCH_SIZE) / Math.max(size, 1));
      count = Math.max(1, Math.min(BATCH_ROWS, fitting, count * 4));
    }
  } finally {
    // Within a transaction that has failed nothing can be closed, and nothing needs to be.
    await sql`close ${cursor}`.execute(tx).catch(() => {});
  }
}

function selectOf(table: TableName, columns: readonly Column[]) {
  if (table === SEARCH) {
    return sql`select entry::text as entry, array_to_string(tsvector_to_array(words), ' ') as words from search`;
  }
  return sql`select ${sql.join(columns.map(({ name }) => sql.ref(name)))} from ${sql.table(table)}`;
}

async function lastNumbers(tx: Kysely<Schema>): Promise<Map<string, number>> {
  const last = new Map<string, number>();
  for (const { table, sequence } of await identities(tx)) {
    const { rows } = await sql<{ last_value: number; is_called: boolean }>`
      select last_value, is_called from ${sql.raw(sequence)}`.execute(tx);
    if (rows[0]?.is_called) last.set(table, rows[0].last_value);
  }
  return last;
}

/** The tables whose keys the database counts, and with which sequence (quoted). */
export async function identities(tx: Kysely<Schema>): Promise<{ table: string; sequence: string }[]> {
  const { rows } = await sql<{ table: string; sequence: string }>`
    select table_name as "table",
      pg_get_serial_sequence(quote_ident(table_schema) || '.' || quote_ident(table_name), column_name) as sequence
    from information_schema.columns
    where table_schema = current_schema() and table_name = any(${TABLES}::text[]) and is_identity = 'YES'`.execute(tx);
  return rows;
}
