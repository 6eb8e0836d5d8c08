import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Kysely, sql } from 'kysely';
import { expect, it } from 'vitest';
import { type Database, type DatabaseOptions, openDatabase } from '../../../src/storage/database.ts';
import { migrate } from '../../../src/storage/migrate.ts';
import { MIGRATIONS } from '../../../src/storage/migrations/index.ts';
import { openPostgres } from '../../../src/storage/postgres.ts';
import type { Schema } from '../../../src/storage/schema.ts';
import { openSqlite } from '../../../src/storage/sqlite.ts';
import { createTask, listTasks } from '../../../src/storage/tasks.ts';
import { type FreshDatabase, newOwner } from './backend.ts';

const OPEN_ONCE = fileURLToPath(new URL('../open-once.ts', import.meta.url));

export function migrationTests(fresh: FreshDatabase): void {
  it('lets processes that start together on an empty database all succeed', async () => {
    const options = await fresh();
    const owner = newOwner();
    const keys = await Promise.all(Array.from({ length: 4 }, () => openInProcess(options, owner)));
    expect(keys.sort()).toEqual(['PC-1', 'PC-2', 'PC-3', 'PC-4']);
  });

  it('lets one process open an empty database several times at once', async () => {
    const options = await fresh();
    const opened = await Promise.all(Array.from({ length: 4 }, () => openDatabase(options)));
    expect(await applied(opened[0]!)).toHaveLength(Object.keys(MIGRATIONS).length);
    await Promise.all(opened.map((database) => database.close()));
  });

  it('does nothing when it runs again', async () => {
    const options = await fresh();
    const owner = newOwner();
    const first = await openDatabase(options);
    const task = await createTask(first.db, owner, { title: 'T', prompt: '' });
    const before = await applied(first);
    await migrate(first.db, first.kind);
    await first.close();
    const second = await openDatabase(options);
    expect(await applied(second)).toEqual(before);
    expect(await listTasks(second.db, owner, { limit: 5, offset: 0 })).toEqual({ tasks: [task], total: 1 });
    await second.close();
  });

  it.each(Object.keys(MIGRATIONS).slice(0, -1))('brings a database up to date that was left at %s', async (last) => {
    const options = await fresh();
    const owner = newOwner();
    const { db, kind } = await openEmpty(options);
    const older = Object.entries(MIGRATIONS).filter(([name]) => name <= last);
    await migrate(db, kind, Object.fromEntries(older));
    const task = await createTask(db, owner, { title: 'T', prompt: '' });
    await db.destroy();
    const database = await openDatabase(options);
    expect(await applied(database)).toHaveLength(Object.keys(MIGRATIONS).length);
    expect(await listTasks(database.db, owner, { limit: 5, offset: 0 })).toEqual({ tasks: [task], total: 1 });
    const whole = await openDatabase(await fresh());
    expect(await columnsOf(database)).toEqual(await columnsOf(whole));
    for (const one of [database, whole]) await one.close();
  });

  it('refuses a database that a newer program migrated, and leaves it alone', async () => {
    const options = await fresh();
    const newer = await openDatabase(options);
    const names = Object.keys(MIGRATIONS);
    await migrate(newer.db, newer.kind, {
      ...MIGRATIONS,
      '9998_future': { up: async (db) => void (await sql`create table future (id text)`.execute(db)) },
      '9999_far_future': { up: () => Promise.resolve() },
    });
    expect(await applied(newer)).toHaveLength(names.length + 2);
    await expect(openDatabase(options)).rejects.toThrow(
      /newer profclaw.*9998_future, 9999_far_future.*Upgrade profclaw, or use another database/,
    );
    expect(await applied(newer)).toHaveLength(names.length + 2);
    await newer.close();
  });

  it('leaves nothing of a migration that fails half-way', async () => {
    const options = await fresh();
    const database = await openDatabase(options);
    const before = await applied(database);
    const half = async (db: Kysely<unknown>) => {
      await db.schema.createTable('half').addColumn('id', 'text').execute();
      throw new Error('out of luck');
    };
    await expect(
      migrate(database.db, database.kind, { ...MIGRATIONS, '9998_whole': { up: whole }, '9999_half': { up: half } }),
    ).rejects.toThrow(/could not be migrated.*out of luck/);
    expect(await applied(database)).toEqual(before);
    await expect(sql`select * from half`.execute(database.db)).rejects.toThrow('half');
    await expect(sql`select * from whole`.execute(database.db)).rejects.toThrow('whole');
    await database.close();
  });
}

async function openEmpty({
  databaseUrl,
  file,
}: DatabaseOptions): Promise<{ db: Kysely<Schema>; kind: Database['kind'] }> {
  if (databaseUrl !== undefined)
    return { db: new Kysely({ dialect: await openPostgres(databaseUrl) }), kind: 'postgres' };
  return { db: new Kysely({ dialect: await openSqlite(file ?? '') }), kind: 'sqlite' };
}

/** Every table with its columns. */
async function columnsOf({ db }: Database): Promise<string[]> {
  const tables = await db.introspection.getTables();
  return tables.flatMap(({ name, columns }) => columns.map((column) => `${name}.${column.name}`)).toSorted();
}

async function whole(db: Kysely<unknown>): Promise<void> {
  await db.schema.createTable('whole').addColumn('id', 'text').execute();
}

async function applied(database: Database): Promise<unknown[]> {
  const { rows } = await sql`select name, timestamp from profclaw_migrations order by name`.execute(database.db);
  return rows.map((row) => ({ ...(row as object) }));
}

async function openInProcess(options: DatabaseOptions, owner: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [OPEN_ONCE, JSON.stringify({ ...options, owner })]);
  return stdout;
}
