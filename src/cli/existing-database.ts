import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Kysely } from 'kysely';
import type { Config } from '../config.ts';
import { openPostgres } from '../storage/postgres.ts';
import type { Schema } from '../storage/schema.ts';
import { openSqlite } from '../storage/sqlite.ts';

/**
 * Works on the configured database as it is. Nothing is created or migrated: it may be that of a running server, which
 * is not as new as this program.
 * @param table the newest that the work needs. @throws Error for a person if there is no such database.
 */
export async function withExistingDatabase<T>(
  { databaseUrl, home }: Config,
  table: keyof Schema,
  work: (db: Kysely<Schema>) => Promise<T>,
): Promise<T> {
  const file = join(home, 'profclaw.db');
  if (databaseUrl === undefined && !existsSync(file)) throw new Error(`there is no database at ${file}`);
  const dialect = databaseUrl === undefined ? await openSqlite(file) : await openPostgres(databaseUrl);
  const db = new Kysely<Schema>({ dialect });
  try {
    const tables = await db.introspection.getTables();
    if (!tables.some(({ name }) => name === table))
      throw new Error(`the database has no table ${table} yet; the server makes it when it starts`);
    return await work(db);
  } finally {
    await db.destroy();
  }
}
