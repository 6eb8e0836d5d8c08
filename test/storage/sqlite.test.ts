import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from '../../src/storage/database.ts';
import { openSqlite } from '../../src/storage/sqlite.ts';
import { createTask, listTasks } from '../../src/storage/tasks.ts';
import { storageSuite } from './suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'profclaw-sqlite-'));
let files = 0;
const newFile = () => join(folder, `${++files}.db`);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

storageSuite('SQLite in a file', 'sqlite', () => Promise.resolve({ file: newFile() }));

describe('the SQLite file', () => {
  it('is made for its owner only, its companions too', async () => {
    const file = newFile();
    const database = await openDatabase({ file });
    for (const path of [file, `${file}-wal`, `${file}-shm`]) expect(statSync(path).mode & 0o777).toBe(0o600);
    await database.close();
  });

  it('is set up for a server', async () => {
    const database = await openDatabase({ file: newFile() });
    const pragma = async (name: string) => {
      const { rows } = await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(database.db);
      return rows[0]?.[name];
    };
    expect(await pragma('journal_mode')).toBe('wal');
    expect(await pragma('synchronous')).toBe(1);
    expect(await pragma('foreign_keys')).toBe(1);
    await database.close();
  });

  it('keeps its rows over a restart', async () => {
    const file = newFile();
    const first = await openDatabase({ file });
    const task = await createTask(first.db, 'anna', { title: 'T', prompt: '' });
    await first.close();
    const second = await openDatabase({ file });
    expect(await listTasks(second.db, 'anna', { limit: 5, offset: 0 })).toEqual({ tasks: [task], total: 1 });
    await second.close();
  });

  it('may be in memory', async () => {
    const database = await openDatabase({ file: ':memory:' });
    await createTask(database.db, 'anna', { title: 'T', prompt: '' });
    await database.close();
  });

  it('says which file cannot be opened, and why', async () => {
    const missing = join(folder, 'no', 'such', 'folder.db');
    await expect(openDatabase({ file: missing })).rejects.toThrow(
      `cannot open the database file ${missing}: its folder does not exist`,
    );
    await expect(openDatabase({ file: folder })).rejects.toThrow(`cannot open the database file ${folder}: it is not`);
    const text = newFile();
    writeFileSync(text, 'This is a letter to my grandmother, and no database.\n'.repeat(100));
    await expect(openDatabase({ file: text })).rejects.toThrow(
      `cannot open the database file ${text}: it is not an SQLite database`,
    );
    await expect(openDatabase({})).rejects.toThrow('neither');
  });

  it('waits for the lock of another process without stopping this one', async () => {
    const file = newFile();
    const database = await openDatabase({ file });
    const other = new DatabaseSync(file);
    other.exec('begin immediate');
    const single = createTask(database.db, 'anna', { title: 'T', prompt: '' });
    const whole = database.db.transaction().execute((db) => createTask(db, 'anna', { title: 'T', prompt: '' }));
    // Both have failed several times meanwhile. Were this process stopped until they give up, nobody would commit.
    await sleep(200);
    other.exec('commit');
    await Promise.all([single, whole]);
    other.close();
    await database.close();
  });

  it('gives up on a lock after five seconds', async () => {
    const file = newFile();
    const database = await openDatabase({ file });
    const other = new DatabaseSync(file);
    other.exec('begin immediate');
    const started = performance.now();
    await expect(createTask(database.db, 'anna', { title: 'T', prompt: '' })).rejects.toThrow('locked');
    expect(performance.now() - started).toBeGreaterThan(4900);
    other.close();
    await createTask(database.db, 'anna', { title: 'T', prompt: '' });
    await database.close();
  });
});

interface Things {
  things: { id?: number; text: string | null; number?: number | null };
}

describe('the SQLite dialect', () => {
  let db: Kysely<Things>;
  beforeEach(async () => {
    db = new Kysely<Things>({ dialect: await openSqlite(':memory:') });
    await sql`create table things (id integer primary key, text text, number any)`.execute(db);
  });
  afterEach(() => db.destroy());

  it('reports the rows a statement changed and the id it gave', async () => {
    const insert = (text: string) => db.insertInto('things').values({ text });
    expect(await insert('a').executeTakeFirst()).toMatchObject({ insertId: 1n, numInsertedOrUpdatedRows: 1n });
    expect(await insert('b').executeTakeFirst()).toMatchObject({ insertId: 2n, numInsertedOrUpdatedRows: 1n });
    const ignored = await db.insertInto('things').orIgnore().values({ id: 1, text: 'c' }).executeTakeFirstOrThrow();
    expect([ignored.insertId, ignored.numInsertedOrUpdatedRows]).toEqual([undefined, 0n]);
    const update = db.updateTable('things').set({ text: 'd' });
    expect((await update.executeTakeFirst()).numUpdatedRows).toBe(2n);
    expect((await update.where('id', '=', 9).executeTakeFirst()).numUpdatedRows).toBe(0n);
    expect((await db.deleteFrom('things').where('id', '=', 1).executeTakeFirst()).numDeletedRows).toBe(1n);
    const raw = await sql`update things set text = 'e'`.execute(db);
    expect([raw.numAffectedRows, raw.insertId]).toEqual([1n, undefined]);
    const returning = await sql`update things set text = 'f' returning id`.execute(db);
    expect([returning.numAffectedRows, returning.rows.length]).toEqual([1n, 1]);
    const none = await sql`create table more (id integer)`.execute(db);
    expect([none.numAffectedRows, none.insertId, none.rows]).toEqual([undefined, undefined, []]);
    const read = await sql`select * from things`.execute(db);
    expect(read.numAffectedRows).toBeUndefined();
  });

  it('stores numbers, bytes, null and big integers as they are', async () => {
    for (const value of [0, -1.5, Number.MAX_SAFE_INTEGER, 12n, null, 'text']) {
      const { rows } = await sql<{ value: unknown }>`select ${value} as value`.execute(db);
      expect(rows[0]?.value).toBe(typeof value === 'bigint' ? Number(value) : value);
    }
    const { rows } = await sql<{ value: unknown }>`select ${new Uint8Array([1, 0, 2])} as value`.execute(db);
    expect(rows[0]?.value).toEqual(new Uint8Array([1, 0, 2]));
  });

  it.each([
    ['a Date', new Date()],
    ['boolean', true],
    ['boolean', false],
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['object', { secret: 'hunter2' }],
    ['object', ['hunter2']],
  ])('refuses to bind %s', async (what, value) => {
    const error: unknown = await sql`insert into things (text, number) values ('x', ${value})`
      .execute(db)
      .catch((reason: unknown) => reason);
    expect(String(error)).toMatch(`query parameter 1 is `);
    expect(String(error)).toMatch(what);
    expect(String(error)).not.toMatch('hunter2');
    expect(await db.selectFrom('things').selectAll().execute()).toEqual([]);
  });

  it('keeps the statements that are used, and not too many of the others', async () => {
    const prepare = vi.spyOn(DatabaseSync.prototype, 'prepare');
    const run = (i: number) => sql`select ${sql.lit(i)} as value`.execute(db);
    try {
      for (let i = 1; i <= 600; i++) {
        await run(0);
        await run(i);
      }
      expect(prepare).toHaveBeenCalledTimes(601);
      await run(600);
      expect(prepare).toHaveBeenCalledTimes(601);
      await run(1);
      expect(prepare).toHaveBeenCalledTimes(602);
    } finally {
      prepare.mockRestore();
    }
  });

  it('forgets statements beyond its cache and still runs them', async () => {
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 600; i++) {
        const { rows } = await sql<{ value: number }>`select ${sql.lit(i)} as value`.execute(db);
        expect(rows[0]?.value).toBe(i);
      }
    }
  });

  it('sees a column that was added after a statement was prepared', async () => {
    await db.insertInto('things').values({ text: 'a' }).execute();
    expect(await db.selectFrom('things').selectAll().execute()).toEqual([{ id: 1, text: 'a', number: null }]);
    await sql`alter table things add column more text default 'm'`.execute(db);
    expect(await db.selectFrom('things').selectAll().execute()).toEqual([
      { id: 1, text: 'a', number: null, more: 'm' },
    ]);
  });

  it('loses no update of transactions that read before they write', async () => {
    await db.insertInto('things').values({ id: 1, text: '', number: 0 }).execute();
    await Promise.all(
      Array.from({ length: 50 }, () =>
        db.transaction().execute(async (transaction) => {
          const { number } = await transaction.selectFrom('things').select('number').executeTakeFirstOrThrow();
          await sleep(Math.random() * 2);
          await transaction
            .updateTable('things')
            .set({ number: (number ?? 0) + 1 })
            .execute();
        }),
      ),
    );
    expect(await db.selectFrom('things').select('number').executeTakeFirst()).toEqual({ number: 50 });
  });

  it('serves queries in the order they came, transactions among them', async () => {
    const order: number[] = [];
    const note = (i: number) => () => void order.push(i);
    const queries = Array.from({ length: 30 }, (_, i) =>
      i % 3 === 0
        ? db
            .transaction()
            .execute(async (transaction) => {
              await sleep(1);
              await sql`select 1`.execute(transaction);
            })
            .then(note(i))
        : sql`select 1`.execute(db).then(note(i)),
    );
    // Newcomers that ask the moment a connection is given back must queue behind those already waiting.
    void queries[0]?.then(() => sql`select 1`.execute(db).then(note(1000)));
    await Promise.all(queries);
    expect(order.filter((i) => i < 1000)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    await sql`select 1`.execute(db);
    expect(order.indexOf(1000)).toBeGreaterThan(28);
  });

  it('answers each of those who wait at the same cost, however many they are', async () => {
    // So many that work in proportion to the square of their number would outlast the test.
    const answers = await Promise.all(Array.from({ length: 45_000 }, () => sql`select 1`.execute(db)));
    expect(answers).toHaveLength(45_000);
  });

  it('gives the connection back after a failed begin, commit or query', async () => {
    await sql`pragma foreign_keys = on`.execute(db);
    await sql`create table children (thing integer references things (id) deferrable initially deferred)`.execute(db);
    const orphan = db.transaction().execute((transaction) => sql`insert into children values (7)`.execute(transaction));
    await expect(orphan).rejects.toThrow('FOREIGN KEY');
    const ended = db.transaction().execute(async (transaction) => {
      await sql`insert into things (id) values (1)`.execute(transaction);
      // SQLite itself ends the transaction here, as it does when the disk is full.
      await sql`insert or rollback into things (id) values (1)`.execute(transaction);
    });
    await expect(ended).rejects.toThrow('UNIQUE');
    await expect(sql`select * from nowhere`.execute(db)).rejects.toThrow('nowhere');
    // Somebody who begins by hand and forgets must not leave the next one in a transaction.
    await db.connection().execute((connection) => sql`begin`.execute(connection));
    await db.transaction().execute((transaction) => sql`select 1`.execute(transaction));
    expect((await sql`select * from children`.execute(db)).rows).toEqual([]);
  });

  it('closes only after what is running', async () => {
    const running = db.transaction().execute(async (transaction) => {
      await sleep(30);
      return await sql`select 1`.execute(transaction);
    });
    await sleep(5);
    await db.destroy();
    await expect(running).resolves.toBeDefined();
  });
});
