import { type Kysely, PostgresAdapter, type RawBuilder, sql } from 'kysely';

/** Does this connection (or transaction) speak to PostgreSQL? For the few statements that the databases write differently. */
export function isPostgres<Tables>(db: Kysely<Tables>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/** Is a column's value among these, of which there must be one? One and the same statement for any number of them. */
export function isAmong<Tables>(
  db: Kysely<Tables>,
  column: string,
  values: readonly string[] | readonly number[],
): RawBuilder<boolean> {
  const ref = sql.ref(column);
  if (!isPostgres(db)) return sql<boolean>`${ref} in (select value from json_each(${JSON.stringify(values)}))`;
  const type = sql.raw(typeof values[0] === 'number' ? 'bigint[]' : 'text[]');
  return sql<boolean>`${ref} = any(${values}::${type})`;
}

/** Is it this owner's? For queries that must not go by an index of the owner's rows, since another one is much shorter. */
export function isOf(owner: string): RawBuilder<boolean> {
  return sql<boolean>`owner || '' = ${owner}`;
}

/** The database's own clock in milliseconds: leases that several machines look at must not depend on their clocks. */
export function databaseNow<Tables>(db: Kysely<Tables>): RawBuilder<number> {
  return isPostgres(db)
    ? sql<number>`(extract(epoch from statement_timestamp()) * 1000)::bigint`
    : sql<number>`cast(unixepoch('subsec') * 1000 as integer)`;
}
