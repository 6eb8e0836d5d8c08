import dns from 'node:dns';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { createPreset, listPresets } from '../../src/storage/presets.ts';
import { createTask, listTasks } from '../../src/storage/tasks.ts';
import { PASSWORD, type PostgresServer, startPostgres } from './embedded-postgres.ts';
import { storageSuite } from './suite.ts';

type LookupDone = (error: null, addresses: { address: string; family: number }[]) => void;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.stop());

storageSuite('PostgreSQL', 'postgres', async () => ({ databaseUrl: await server.newDatabase() }));

describe('the PostgreSQL pool', () => {
  it('reads 8-byte integers as numbers, and refuses those that are none', async () => {
    const database = await openDatabase({ databaseUrl: await server.newDatabase() });
    const read = async (text: string) => {
      const { rows } = await sql<{ n: unknown }>`select ${sql.lit(text)}::int8 as n`.execute(database.db);
      return rows[0]?.n;
    };
    expect(await read('5000000000')).toBe(5_000_000_000);
    await expect(read('9007199254740993')).rejects.toThrow('2^53');
    await database.close();
  });

  it('outlives the end of an idle connection', async () => {
    const { database, databaseUrl } = await open();
    await server.endConnections(databaseUrl);
    await expect(database.ping()).resolves.toBeUndefined();
    await database.close();
  });

  it('outlives the end of a connection in the middle of a transaction', async () => {
    const { database, databaseUrl } = await open();
    const cut = database.db.transaction().execute(async (transaction) => {
      await createTask(transaction, 'anna', { title: 'T', prompt: '' });
      await server.endConnections(databaseUrl);
      await createTask(transaction, 'anna', { title: 'T', prompt: '' });
    });
    await expect(cut).rejects.toThrow();
    expect(await listTasks(database.db, 'anna', { limit: 5, offset: 0 })).toEqual({ tasks: [], total: 0 });
    await database.close();
  });

  it('does not take the tables of another schema for its own', async () => {
    const { database, databaseUrl } = await open();
    await createTask(database.db, 'anna', { title: 'T', prompt: '' });
    await sql`create schema second`.execute(database.db);
    const second = await openDatabase({ databaseUrl: `${databaseUrl}?options=-c%20search_path%3Dsecond` });
    expect((await listTasks(second.db, 'anna', { limit: 5, offset: 0 })).total).toBe(0);
    await second.close();
    await database.close();
  });

  it('lists by id within a millisecond also when it does not read along the index', async () => {
    const { database } = await open();
    for (const name of ['a', 'b', 'c']) {
      await createTask(database.db, 'anna', { title: name, prompt: '' });
      await createPreset(database.db, 'anna', { name, systemPrompt: '' });
    }
    await database.db.updateTable('tasks').set({ created_at: '2026-01-01T00:00:00.000Z' }).execute();
    await database.db.updateTable('presets').set({ created_at: '2026-01-01T00:00:00.000Z' }).execute();
    await database.db.transaction().execute(async (transaction) => {
      await sql`set local enable_indexscan = off`.execute(transaction);
      await sql`set local enable_bitmapscan = off`.execute(transaction);
      const { tasks } = await listTasks(transaction, 'anna', { limit: 10, offset: 0 });
      const { presets } = await listPresets(transaction, 'anna', { limit: 10, offset: 0 });
      expect(tasks.map((task) => task.title)).toEqual(['c', 'b', 'a']);
      expect(presets.map((preset) => preset.name)).toEqual(['c', 'b', 'a']);
    });
    await database.close();
  });

  it('serves more callers than it has connections', async () => {
    const { database } = await open();
    const answers = Array.from({ length: 50 }, () => sql`select pg_sleep(0.02)`.execute(database.db));
    await expect(Promise.all(answers)).resolves.toHaveLength(50);
    const { rows } = await sql<{ n: number }>`
      select count(*) as n from pg_stat_activity where datname = current_database()`.execute(database.db);
    expect(rows[0]?.n).toBe(10);
    await database.close();
  });

  async function open(): Promise<{ database: Database; databaseUrl: string }> {
    const databaseUrl = await server.newDatabase();
    return { database: await openDatabase({ databaseUrl }), databaseUrl };
  }
});

describe('a PostgreSQL that cannot be used', () => {
  const failure = async (databaseUrl: string): Promise<Error> => {
    const error: unknown = await openDatabase({ databaseUrl }).then(
      (database) => database.close(),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Error);
    return error as Error;
  };

  it('is named in the message, without the password', async () => {
    const wrong = `wrong-${PASSWORD}`;
    const encoded = encodeURIComponent(wrong);
    const at = `127.0.0.1:${server.port}`;
    for (const [url, message] of [
      [`postgres://postgres:${encoded}@${at}/postgres`, `${at}: password authentication failed`],
      [`postgres://postgres@${at}/postgres?password=${encoded}`, `${at}: password authentication failed`],
      [`postgres://postgres:${encodeURIComponent(PASSWORD)}@${at}/nowhere`, `"nowhere" does not exist`],
      [`postgres://postgres:${encoded}@127.0.0.1:1/postgres`, '127.0.0.1:1: connect ECONNREFUSED'],
      [`postgres://postgres:${encoded}@localhost:1/postgres`, 'ECONNREFUSED'],
      // The server's own message repeats the name of the database: here it is the password.
      [`postgres://postgres:${encodeURIComponent(PASSWORD)}@${at}/${encodeURIComponent(PASSWORD)}`, '"***" does not'],
    ] as const) {
      const error = await failure(url);
      expect(error.message).toContain('cannot connect to PostgreSQL at');
      expect(error.message).toContain(message);
      const everything = `${error.message} ${error.stack} ${JSON.stringify(error, Object.getOwnPropertyNames(error))}`;
      for (const secret of [wrong, encoded, PASSWORD]) expect(everything).not.toContain(secret);
      expect(error.cause).toBeUndefined();
    }
  });

  it('is explained also when each of its addresses refuses', async () => {
    const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((_host: string, _options: object, done: LookupDone) =>
      done(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ])) as unknown as typeof dns.lookup);
    try {
      const error = await failure('postgres://postgres:x@many.example:1/postgres');
      expect(error.message).toBe('cannot connect to PostgreSQL at many.example:1: ECONNREFUSED');
    } finally {
      lookup.mockRestore();
    }
  });

  it.each([
    'postgres://user:hunter2#x@host/database',
    'postgres://user:12345#hunter2@host/database',
    'postgres://user:hunter2/x@host/database',
    'mysql://user:hunter2@host/database',
    'hunter2',
    '',
  ])('is refused when its URL is malformed: %j', async (url) => {
    const error = await failure(url);
    expect(error.message).toContain('the database URL is not of the form postgres://');
    expect(`${error.stack} ${JSON.stringify(error, Object.getOwnPropertyNames(error))}`).not.toContain('hunter2');
  });
});
