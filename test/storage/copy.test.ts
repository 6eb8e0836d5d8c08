import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyTables } from '../../src/storage/copy/copy-tables.ts';
import { type MoveOrder, moveDatabase } from '../../src/storage/copy/move-database.ts';
import { withPostgresReader } from '../../src/storage/copy/postgres-reader.ts';
import { withSqliteReader } from '../../src/storage/copy/sqlite-reader.ts';
import { fillSqlite } from '../../src/storage/copy/sqlite-target.ts';
import { type Row, TABLES } from '../../src/storage/copy/tables.ts';
import type { Target } from '../../src/storage/copy/target.ts';
import { type DatabaseOptions, openDatabase } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { MIGRATIONS } from '../../src/storage/migrations/index.ts';
import { openPostgres } from '../../src/storage/postgres.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { dump, fillEveryTable, tableNames } from './copy-rows.ts';
import { type PostgresServer, startPostgres } from './embedded-postgres.ts';

let server: PostgresServer;
let folder: string;
let files = 0;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'profclaw-copy-'));
  server = await startPostgres();
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

type Kind = 'sqlite' | 'postgres';

async function newPlace(kind: Kind): Promise<DatabaseOptions> {
  return kind === 'postgres' ? { databaseUrl: await server.newDatabase() } : { file: join(folder, `${++files}.db`) };
}

async function within<T>(place: DatabaseOptions, work: (db: Kysely<Schema>) => Promise<T>): Promise<T> {
  const database = await openDatabase(place);
  try {
    return await work(database.db);
  } finally {
    await database.close();
  }
}

async function filled(kind: Kind): Promise<DatabaseOptions> {
  const place = await newPlace(kind);
  await within(place, fillEveryTable);
  return place;
}

const move = (from: DatabaseOptions, to: DatabaseOptions, more: Partial<MoveOrder> = {}) =>
  moveDatabase({ from, to, stamp: undefined, progress: () => {}, ...more });

/** The names of what a place has, whoever made it. */
async function remains(place: DatabaseOptions): Promise<string[]> {
  if (place.file !== undefined) {
    const name = place.file.slice(folder.length + 1);
    return readdirSync(folder).filter((one) => one.startsWith(`${name}`));
  }
  const db = new Kysely<Schema>({ dialect: await openPostgres(place.databaseUrl ?? '') });
  const { rows } = await sql<{ name: string }>`
    select table_schema || '.' || table_name as name from information_schema.tables
    where table_schema not in ('pg_catalog', 'information_schema')`.execute(db);
  await db.destroy();
  return rows.map(({ name }) => name);
}

describe.each<Kind>(['sqlite', 'postgres'])('from %s', (kind) => {
  it('moves every table that the migrations make', async () => {
    expect(await within(await newPlace(kind), tableNames)).toEqual([...TABLES].sort());
  });

  it.each<Kind>(['sqlite', 'postgres'])('everything is in %s as it was, and new numbers are new', async (other) => {
    const [from, to] = [await filled(kind), await newPlace(other)];
    const { sums, aside } = await move(from, to);
    expect(aside).toBeUndefined();
    const before = await within(from, dump);
    const after = await within(to, dump);
    expect(after).toEqual(before);
    expect([...sums.keys()]).toEqual(TABLES);
    for (const [table, { rows }] of sums)
      if (table !== 'search') expect([table, rows]).toEqual([table, before[table]?.length]);
    expect(before.found).toHaveLength(6);
    await within(to, async (db) => {
      const { rows } = await sql<{ number: number }>`
        insert into conversations (id, owner, title, title_by, preset_id, metadata, created_at, updated_at)
        values ('new', '', '', '', '', '', '', '') returning number`.execute(db);
      expect(rows).toEqual([{ number: 7 }]);
      // The log can still not be changed.
      await expect(sql`update audit_log set hash = ''`.execute(db)).rejects.toThrow('append-only');
    });
    if (to.file !== undefined) expect((statSync(to.file).mode & 0o777).toString(8)).toBe('600');
  });

  it('leaves the source as it was', async () => {
    const from = await filled(kind);
    const before = await within(from, dump);
    const bytes = from.file === undefined ? undefined : readFileSync(from.file);
    await move(from, await newPlace('postgres'));
    if (from.file !== undefined) expect(readFileSync(from.file).equals(bytes ?? Buffer.of())).toBe(true);
    expect(await within(from, dump)).toEqual(before);
  });

  it('refuses a source that is in use', async () => {
    const from = await filled(kind);
    const to = await newPlace('sqlite');
    await within(from, async (db) => {
      await sql`select 1`.execute(db);
      await expect(move(from, to)).rejects.toThrow(/in use.*top/);
    });
    expect(await remains(to)).toEqual([]);
    await expect(move(from, to)).resolves.toBeDefined();
  });

  it('brings an older database over as it is, and the next start migrates it', async () => {
    const older = Object.fromEntries(Object.entries(MIGRATIONS).slice(0, 5));
    const [from, to] = [await newPlace(kind), await newPlace(kind === 'sqlite' ? 'postgres' : 'sqlite')];
    const dialect = from.file === undefined ? openPostgres(from.databaseUrl ?? '') : openSqlite(from.file);
    const db = new Kysely<Schema>({ dialect: await dialect });
    await migrate(db, kind, older);
    await sql`insert into rule_sets values ('anna', 3)`.execute(db);
    await db.destroy();
    const { sums } = await move(from, to);
    expect(sums.has('tool_results')).toBe(false);
    await within(to, async (migrated) => {
      expect(await migrated.selectFrom('rule_sets').selectAll().execute()).toEqual([{ owner: 'anna', version: 3 }]);
      expect(await migrated.selectFrom('tool_results').selectAll().execute()).toEqual([]);
    });
  });

  it('refuses what a newer program has made, and what is no database of ours', async () => {
    const [from, empty] = [await filled(kind), await newPlace(kind)];
    await within(from, (db) => sql`insert into profclaw_migrations values ('9999_future', '')`.execute(db));
    const to = await newPlace('postgres');
    await expect(move(from, to)).rejects.toThrow(/newer profclaw.*9999_future/);
    await expect(move(empty, to)).rejects.toThrow(/there is no database at|no server has started on it yet/);
    expect(await remains(to)).toEqual([]);
  });
});

describe.each<Kind>(['sqlite', 'postgres'])('to %s', (kind) => {
  it('refuses one that is there already, or puts it aside whole', async () => {
    const [first, second, to] = [await filled('sqlite'), await newPlace('sqlite'), await newPlace(kind)];
    await within(second, (db) => fillEveryTable(db, 2));
    await move(first, to);
    await expect(move(second, to)).rejects.toThrow(/already.*--replace/);
    expect(await within(to, dump)).toEqual(await within(first, dump));
    const { aside } = await move(second, to, { stamp: '20261129T010203Z' });
    expect(await within(to, dump)).toEqual(await within(second, dump));
    const old = to.file ? { file: aside } : { databaseUrl: `${to.databaseUrl}?options=-c%20search_path%3D${aside}` };
    expect(await within(old, dump)).toEqual(await within(first, dump));
    // And once more, with nothing left from before in its way.
    await move(first, to, { stamp: '20261129T010204Z' });
    expect(await within(to, dump)).toEqual(await within(first, dump));
  });

  it('replaces none that is in use', async () => {
    const [from, to] = [await filled('sqlite'), await newPlace(kind)];
    await within(to, async (db) => {
      await sql`select 1`.execute(db);
      await expect(move(from, to, { stamp: '20261129T010203Z' })).rejects.toThrow(/in use/);
      expect(await db.selectFrom('tasks').selectAll().execute()).toEqual([]);
    });
    if (to.file) expect(await remains(to)).toEqual([to.file.slice(folder.length + 1)]);
  });

  it('leaves nothing of a copy that fails in the middle', async () => {
    const [from, to] = [await filled('sqlite'), await newPlace(kind)];
    const progress: MoveOrder['progress'] = (table) => {
      if (table === 'run_events') throw new Error('pulled the plug');
    };
    await expect(move(from, to, { progress })).rejects.toThrow('pulled the plug');
    expect(await remains(to)).toEqual([]);
    await move(from, to);
    expect(await within(to, dump)).toEqual(await within(from, dump));
  });

  it('keeps what was there when a replacement fails', async () => {
    const [first, second, to] = [await filled('sqlite'), await newPlace('sqlite'), await newPlace(kind)];
    await within(second, (db) => fillEveryTable(db, 2));
    await move(first, to);
    const progress: MoveOrder['progress'] = (table, step) => {
      if (table === 'search' && step === 'check') throw new Error('pulled the plug');
    };
    await expect(move(second, to, { progress, stamp: '20261129T010203Z' })).rejects.toThrow('pulled the plug');
    expect(await within(to, dump)).toEqual(await within(first, dump));
  });
});

it('keeps whoever comes to an SQLite file from it', async () => {
  const { file = '' } = await filled('sqlite');
  await withSqliteReader(file, true, async (reader) => {
    const late = new DatabaseSync(file, { timeout: 0 });
    expect(() => late.exec('delete from tasks')).toThrow('locked');
    late.close();
    expect(await reader.count('tasks')).toBe(6);
  });
});

it('keeps whoever comes to a PostgreSQL from writing what would be missed', async () => {
  const from = await filled('postgres');
  await withPostgresReader(from.databaseUrl ?? '', true, async (_, tx) => {
    const late = within(from, (db) => db.deleteFrom('tasks').execute()).then(() => 'written');
    const waits = async (): Promise<string> => {
      for (;;) {
        const { rows } = await sql`select 1 from pg_locks where not granted and database is not null`.execute(tx);
        if (rows.length > 0) return 'waits';
      }
    };
    expect(await Promise.race([late, waits()])).toBe('waits');
    void late.catch(() => {});
  });
  // It has its turn now.
  await expect.poll(async () => (await within(from, dump)).tasks).toEqual([]);
});

/** What a target may get wrong without an error. */
const WRONGS: [string, (rows: readonly Row[]) => readonly Row[]][] = [
  ['loses a row', (rows) => rows.slice(1)],
  ['changes a text', ([first = [], ...rows]) => [first.map((v) => (typeof v === 'string' ? `${v} ` : v)), ...rows]],
  ['changes a number', ([first = [], ...rows]) => [first.map((v) => (typeof v === 'number' ? v - 1 : v)), ...rows]],
];

it.each(WRONGS)('notices a target that %s', async (_, wrong) => {
  const [from, to] = [await filled('sqlite'), await newPlace('sqlite')];
  const copied = withSqliteReader(from.file ?? '', false, async (reader) =>
    fillSqlite(to.file ?? '', await reader.migrations(), (target) => {
      const insert: Target['insert'] = (table, columns, rows) =>
        target.insert(table, columns, table === 'runs' ? wrong(rows) : rows);
      return copyTables(reader, { ...target, insert }, () => {});
    }),
  );
  await expect(copied).rejects.toThrow(/not the same as the source: the table runs has/);
  expect(await remains(to)).toEqual([]);
});

it('leaves tables of other people alone, and does not take them for ours', async () => {
  const [from, to] = [await filled('sqlite'), await newPlace('postgres')];
  const run = async (statement: string): Promise<void> => {
    const db = new Kysely<Schema>({ dialect: await openPostgres(to.databaseUrl ?? '') });
    await sql.raw(statement).execute(db);
    await db.destroy();
  };
  await run('create table notes (id text)');
  await run('create table tasks (id text)');
  await expect(move(from, to)).rejects.toThrow("a table tasks that is not profclaw's");
  await expect(move(from, to, { stamp: '20261129T010203Z' })).rejects.toThrow("a table tasks that is not profclaw's");
  await run('drop table tasks');
  await move(from, to);
  await move(from, to, { stamp: '20261129T010203Z' });
  expect(await remains(to)).toContain('public.notes');
});

it('does not put a file beside the log of another one, which would be taken for its own', async () => {
  const [from, to] = [await filled('sqlite'), await newPlace('sqlite')];
  writeFileSync(`${to.file}-wal`, 'of another one');
  await expect(move(from, to)).rejects.toThrow(/what is left of a database .*-wal.*--replace/);
  const { aside } = await move(from, to, { stamp: 'then' });
  expect(aside).toBe(`${to.file}.replaced-then-wal`);
  expect(readFileSync(aside ?? '', 'utf8')).toBe('of another one');
  expect(await within(to, dump)).toEqual(await within(from, dump));
});

it('names the rows that PostgreSQL cannot store', async () => {
  const from = await filled('sqlite');
  const raw = new DatabaseSync(from.file ?? '');
  raw.exec("update tickets set title = 'a' || char(0) || 'b' where rowid = 3");
  raw.close();
  await expect(move(from, await newPlace('postgres'))).rejects.toThrow(/rows 1 to 6 of tickets cannot be stored/);
});

it('reads and writes large rows and many', async () => {
  const [from, to, back] = [await newPlace('sqlite'), await newPlace('postgres'), await newPlace('sqlite')];
  await within(from, async (db) => {
    const values = Array.from({ length: 1501 }, (_, n) => ({
      ...{ id: `r${n}`, owner: 'a', conversation: 1, seq: n, created_at: '' },
      text: n % 500 === 7 ? `${n}`.repeat(400_000) : `${n}`,
    }));
    for (const value of values) await db.insertInto('tool_results').values(value).execute();
  });
  await move(from, to);
  await move(to, back);
  expect(await within(back, dump)).toEqual(await within(from, dump));
  expect(existsSync(`${back.file}.incoming`)).toBe(false);
});
