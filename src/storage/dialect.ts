import { type Kysely, PostgresAdapter, type RawBuilder, sql } from 'kysely';

/** Does this connection (or transaction) speak to PostgreSQL? For the few statements that the databases write differently. */
export function isPostgres<Tables>(db: Kysely<Tables>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/** The database's own clock in milliseconds: leases that several machines look at must not depend on their clocks. */
export function databaseNow<Tables>(db: Kysely<Tables>): RawBuilder<number> {
  return isPostgres(db)
    ? sql<number>`(extract(epoch from statement_timestamp()) * 1000)::bigint`
    : sql<number>`cast(unixepoch('subsec') * 1000 as integer)`;
}
