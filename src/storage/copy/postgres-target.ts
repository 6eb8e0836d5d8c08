import { Kysely, sql } from 'kysely';
import { migrate } from '../migrate.ts';
import { openPostgres } from '../postgres.ts';
import type { Schema } from '../schema.ts';
import { migrationsNamed } from './applied-migrations.ts';
import { allowPauses, hasTable, identities, postgresReader } from './postgres-reader.ts';
import { requireUnused } from './postgres-sessions.ts';
import { type Column, MIGRATION_TABLES, type Row, SEARCH, TABLES, type TableName } from './tables.ts';
import type { Filling, Target } from './target.ts';

/** Two that fill one database would make the same tables. Any number that nobody else takes. */
const FILLING_LOCK = 7_242_136_802;
const ARRAYS = {
  integer: 'bigint[]',
  real: 'double precision[]',
  text: 'text[]',
  bytes: 'bytea[]',
  boolean: 'boolean[]',
} as const;
/** What the migrations make beside tables and what belongs to them. */
const FUNCTION = 'profclaw_append_only';

/**
 * Makes the tables in a PostgreSQL and has them filled, all in one transaction: whatever happens, they are there as a
 * whole or not at all, and what they replace is as it was.
 * @returns what `fill` gives, and the schema that what was there before is in now, if anything was.
 * @throws Error for a person if there is something already, or a server uses it.
 */
export async function fillPostgres<T>(
  databaseUrl: string,
  { migrations, replaced }: Filling,
  fill: (target: Target) => Promise<T>,
): Promise<{ value: T; aside: string | undefined }> {
  const db = new Kysely<Schema>({ dialect: await openPostgres(databaseUrl) });
  try {
    const result = await db.transaction().execute(async (tx) => {
      await allowPauses(tx);
      await requireOnlyOne(tx);
      const aside = await makeRoom(tx, replaced);
      await migrate(tx, 'postgres', migrationsNamed(migrations, 'the source'));
      // The migrator leaves its own behind.
      await sql`set local lock_timeout = 0`.execute(tx);
      await removeRows(tx);
      const value = await fill(targetOver(tx));
      await forgetJobs(tx);
      return { value, aside };
    });
    // Without it the first queries would be planned for empty tables.
    await sql`analyze`.execute(db).catch(() => {});
    return result;
  } finally {
    await db.destroy();
  }
}

async function requireOnlyOne(tx: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ free: boolean }>`
    select pg_try_advisory_xact_lock(${sql.lit(FILLING_LOCK)}) as free`.execute(tx);
  if (!rows[0]?.free) throw new Error('another command is filling this database at this moment; wait until it is done');
}

/** @returns the schema that the tables are in now. */
async function makeRoom(tx: Kysely<Schema>, replaced: string | undefined): Promise<string | undefined> {
  const there: string[] = [];
  for (const table of [...TABLES, ...MIGRATION_TABLES]) if (await hasTable(tx, table)) there.push(table);
  if (there.length === 0) return undefined;
  const old = await postgresReader(tx).migrations();
  if (old.length === 0)
    throw new Error(`the database has a table ${there[0]} that is not profclaw's; take an empty one`);
  if (replaced === undefined)
    throw new Error('there is a profclaw in the target database already; with --replace it is put aside');
  // What a newer one has besides would be left lying about.
  migrationsNamed(old, 'what is in the target database');
  await requireUnused(tx);
  await sql`create schema ${sql.id(replaced)}`.execute(tx);
  for (const table of there) await sql`alter table ${sql.table(table)} set schema ${sql.id(replaced)}`.execute(tx);
  const { rows } = await sql`
    select 1 from pg_proc where proname = ${FUNCTION} and pronamespace = current_schema()::regnamespace`.execute(tx);
  if (rows.length > 0) await sql`alter function ${sql.id(FUNCTION)}() set schema ${sql.id(replaced)}`.execute(tx);
  return replaced;
}

/** What the migrations themselves have put there is moved like everything else. */
async function removeRows(tx: Kysely<Schema>): Promise<void> {
  for (const table of TABLES) {
    if (!(await hasTable(tx, table))) continue;
    const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(tx);
    if (rows.length > 0) await sql`delete from ${sql.table(table)}`.execute(tx);
  }
}

/** What was there before may have been at a later point of the same runs: then their jobs would count as done. */
async function forgetJobs(tx: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ found: boolean }>`
    select to_regclass('openworkflow.workflow_runs') is not null as found`.execute(tx);
  if (rows[0]?.found) await sql`delete from openworkflow.workflow_runs`.execute(tx);
}

function targetOver(tx: Kysely<Schema>): Target {
  const reader = postgresReader(tx);
  return {
    shapes: reader.shapes,
    insert: (table, columns, rows) => insertRows(tx, table, columns, rows),
    setLastNumbers: async (numbers) => {
      for (const { table, sequence } of await identities(tx)) {
        const last = numbers.get(table) ?? 0;
        if (last > 0) await sql`select setval(${sequence}::regclass, ${last}::bigint, true)`.execute(tx);
      }
    },
    readAgain: (work) => work(reader),
  };
}

async function insertRows(
  tx: Kysely<Schema>,
  table: TableName,
  columns: readonly Column[],
  rows: readonly Row[],
): Promise<void> {
  const arrays = columns.map(({ kind }, index) => {
    const values = rows.map((row) => row[index] ?? null);
    const given = kind === 'boolean' ? values.map((value) => (value === null ? null : Boolean(value))) : values;
    return sql`${given}::${sql.raw(ARRAYS[kind])}`;
  });
  if (table === SEARCH) {
    await sql`
      insert into search (entry, words)
      select entry::bigint, array_to_tsvector(string_to_array(words, ' '))
      from unnest(${sql.join(arrays)}) as given (entry, words)`.execute(tx);
    return;
  }
  const names = sql.join(columns.map(({ name }) => sql.ref(name)));
  await sql`
    insert into ${sql.table(table)} (${names}) overriding system value
    select * from unnest(${sql.join(arrays)})`.execute(tx);
}
