import { Kysely, sql } from 'kysely';
import { migrate } from './migrate.ts';
import { openPostgres } from './postgres.ts';
import type { Schema } from './schema.ts';
import { openSqlite } from './sqlite.ts';

/** Where the state is: PostgreSQL if `databaseUrl` is given, else the SQLite file (`:memory:` for none). */
export interface DatabaseOptions {
  databaseUrl?: string | undefined;
  file?: string | undefined;
}

/** An open, migrated database. */
export interface Database {
  db: Kysely<Schema>;
  kind: 'sqlite' | 'postgres';
  /** Rejects if the database does not answer a query. */
  ping(): Promise<void>;
  /** Waits for running queries and lets go of the database; safe to call twice. */
  close(): Promise<void>;
}

/**
 * Opens the database, creating an SQLite file that is not there (its folder must be), and brings it to the newest
 * migration. Throws an Error for a person if it cannot be opened or belongs to a newer program.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, file } = options;
  if (databaseUrl === undefined && file === undefined) throw new Error('neither a database URL nor a file was given');
  const kind = databaseUrl === undefined ? 'sqlite' : 'postgres';
  const dialect = databaseUrl === undefined ? await openSqlite(file ?? '') : await openPostgres(databaseUrl);
  const db = new Kysely<Schema>({ dialect });
  try {
    await migrate(db, kind);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return {
    db,
    kind,
    ping: async () => {
      await sql`select 1`.execute(db);
    },
    close: () => db.destroy(),
  };
}
