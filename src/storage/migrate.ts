import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { MIGRATIONS } from './migrations/index.ts';
import type { Schema } from './schema.ts';

const TABLE = 'profclaw_migrations';

/**
 * Brings the database to the newest migration, all in one transaction: it is as new as this program afterwards, or as
 * it was. Processes that start together take turns (PostgreSQL: an advisory lock; SQLite: BEGIN IMMEDIATE).
 * Throws an Error if the database holds a migration that `migrations` does not.
 */
export async function migrate(
  db: Kysely<Schema>,
  kind: 'sqlite' | 'postgres',
  migrations: Readonly<Record<string, Migration>> = MIGRATIONS,
): Promise<void> {
  const schema = kind === 'postgres' ? await currentSchema(db) : undefined;
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
    migrationTableName: TABLE,
    migrationLockTableName: `${TABLE}_lock`,
    // Without it, a table of this name in somebody else's schema would be taken for ours.
    ...(schema === undefined ? {} : { migrationTableSchema: schema }),
  });
  const { error } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const unknown = await unknownMigrations(db, migrations).catch(() => []);
  if (unknown.length > 0) throw newerDatabase(unknown);
  throw new Error(`the database could not be migrated: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  });
}

async function currentSchema(db: Kysely<Schema>): Promise<string | undefined> {
  const { rows } = await sql<{ name: string | null }>`select current_schema() as name`.execute(db);
  return rows[0]?.name ?? undefined;
}

async function unknownMigrations(db: Kysely<Schema>, known: Readonly<Record<string, Migration>>): Promise<string[]> {
  const rows = await sql<{ name: string }>`select name from ${sql.table(TABLE)} order by name`.execute(db);
  return rows.rows.map((row) => row.name).filter((name) => !Object.hasOwn(known, name));
}

function newerDatabase(unknown: string[]): Error {
  return new Error(
    `the database was migrated by a newer profclaw: this version does not know migration ${unknown.join(', ')}. ` +
      'Upgrade profclaw, or use another database.',
  );
}
