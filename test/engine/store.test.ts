import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Client } from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openPostgresStore } from '../../src/agent/engine/postgres-store.ts';
import { openSqliteStore } from '../../src/agent/engine/sqlite-store.ts';
import { PASSWORD, type PostgresServer, startPostgres } from '../storage/embedded-postgres.ts';

describe('the engine in an SQLite file', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'profclaw-engine-'));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(['engine.db', ':memory:'])('sets what OpenWorkflow has no option for (%s)', async (name) => {
    const file = name === ':memory:' ? name : join(folder, name);
    const store = await openSqliteStore(file);
    // The field is private to OpenWorkflow: when it goes, opening fails.
    const db: unknown = Reflect.get(store.backend, 'db');
    if (!(db instanceof DatabaseSync)) throw new Error('there is no connection in `db`');
    expect(db.prepare('pragma synchronous').get()).toEqual({ synchronous: 1 });
    expect(db.prepare('pragma busy_timeout').get()).toEqual({ timeout: 5000 });
    if (file !== name) {
      expect(db.prepare('pragma journal_mode').get()).toEqual({ journal_mode: 'wal' });
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
    await store.close();
  });

  it('says which file it cannot use', async () => {
    const file = join(folder, 'text.db');
    writeFileSync(file, 'this is no database, but long enough to be looked at as one'.repeat(100));
    await expect(openSqliteStore(file)).rejects.toThrow(`${file}: it is not an SQLite database`);
    await expect(openSqliteStore(join(folder, 'absent', 'engine.db'))).rejects.toThrow('its folder does not exist');
  });
});

describe('the engine in a PostgreSQL', () => {
  let server: PostgresServer;
  const log = pino({ level: 'silent' });

  beforeAll(async () => {
    server = await startPostgres();
  });

  afterAll(() => server.stop());

  it('is made once by nodes that start at the same time, and prints nothing', async () => {
    const printed = vi.spyOn(console, 'log').mockReturnValue();
    const url = await server.newDatabase();
    const client = new Client({ connectionString: url });
    await client.connect();
    // PostgreSQL then has something to remark.
    await client.query('create schema openworkflow');
    const stores = await Promise.all([1, 2, 3, 4].map(() => openPostgresStore(url, log)));
    const { rows } = await client.query(
      'select max(version)::int as version from openworkflow.openworkflow_migrations',
    );
    expect(rows).toEqual([{ version: 5 }]);
    for (const store of stores) {
      expect(await store.stateOf('none')).toBeUndefined();
      await store.close();
    }
    const open = 'select count(*)::int as count from pg_stat_activity where datname = current_database()';
    await vi.waitFor(async () => expect((await client.query(open)).rows).toEqual([{ count: 1 }]));
    expect(printed).not.toHaveBeenCalled();
    printed.mockRestore();
    await client.end();
  });

  it('reads a URL as our own driver does', async () => {
    const url = new URL(await server.newDatabase());
    const { username, password, hostname, port, pathname } = url;
    const store = await openPostgresStore(
      `postgres://${pathname}?user=${username}&password=${password}&host=${hostname}&port=${port}&sslmode=disable`,
      log,
    );
    expect(await store.stateOf('none')).toBeUndefined();
    await store.close();
  });

  it('says without the password why it cannot be opened', async () => {
    const url = await server.newDatabase();
    const encoded = encodeURIComponent(PASSWORD);
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(`create role nobody login password '${PASSWORD}'`);
    await client.end();
    const wrong: [string, string][] = [
      [url.replace(encoded, 'not-the-password'), 'password authentication failed'],
      [url.replace('/test_', '/absent_'), 'does not exist'],
      [url.replace(`:${server.port}`, ':9'), 'ECONNREFUSED'],
      [url.replace('//postgres:', '//nobody:'), 'permission denied'],
    ];
    for (const [at, reason] of wrong) {
      const error = await openPostgresStore(at, log).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      const text = `${String(error)} ${JSON.stringify(error)}`;
      expect(text).toContain("cannot open the engine's tables in PostgreSQL: ");
      expect(text).toContain(reason);
      for (const secret of [PASSWORD, encoded, 'not-the-password']) expect(text).not.toContain(secret);
    }
  });
});
