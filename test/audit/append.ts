import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { verifyAudit } from '../../src/audit/verify.ts';
import { appendAudit, listAudit, readAudit } from '../../src/storage/audit.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import type { Schema } from '../../src/storage/schema.ts';
import { createTicket } from '../../src/storage/tickets.ts';
import type { FreshDatabase } from '../storage/suite/backend.ts';
import { dropTriggers, entry, fill } from './log.ts';

class Undo extends Error {}

export function appendTests(kind: Database['kind'], fresh: FreshDatabase): void {
  let database: Database;
  beforeAll(async () => {
    database = await openDatabase(await fresh());
  });
  afterAll(() => database.close());

  const newest = async () => (await listAudit(database.db, { limit: 1 })).entries[0];
  const rows = async (db: Kysely<Schema>) => await readAudit(db, 0, 10_000);

  it('has one chain of 200 rows that come over several connections at once, some of which are taken back', async () => {
    const options = await fresh();
    const places = await Promise.all(Array.from({ length: kind === 'postgres' ? 4 : 2 }, () => openDatabase(options)));
    const appends = Array.from({ length: 200 }, async (_, i) => {
      const { db } = places[i % places.length]!;
      if (i % 4 !== 0) return await appendAudit(db, entry({ target: `${i}` }));
      // Two lock the same row before the log's, and every other one thinks better of it.
      const trial = db.transaction().execute(async (tx) => {
        await createTicket(tx, 'anna', { title: `${i}` });
        await appendAudit(tx, entry({ target: `${i}` }));
        if (i % 8 === 0) throw new Undo();
      });
      await trial.catch((error: unknown) => {
        if (!(error instanceof Undo)) throw error;
      });
    });
    await Promise.all(appends);
    const written = await rows(places[0]!.db);
    expect(written.map(({ seq }) => seq)).toEqual(Array.from({ length: 175 }, (_, i) => i + 1));
    expect(new Set(written.map(({ target }) => target)).size).toBe(175);
    expect(await verifyAudit(places[1]!.db)).toEqual({ rows: 175, head: { seq: 175, hash: written.at(-1)?.hash } });
    for (const place of places) await place.close();
  });

  it('is whole at every moment while others append', async () => {
    const options = await fresh();
    const [writer, reader] = [await openDatabase(options), await openDatabase(options)];
    await fill(writer.db, 600);
    let isWriting = true;
    const writing = (async () => {
      for (let i = 0; i < 30; i++) await appendAudit(writer.db, entry());
      isWriting = false;
    })();
    const seen: number[] = [];
    while (isWriting) {
      const verdict = await verifyAudit(reader.db);
      if (!('rows' in verdict)) throw new Error(`row ${verdict.badSeq}: ${verdict.reason}`);
      seen.push(verdict.rows);
    }
    await writing;
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(await verifyAudit(reader.db)).toMatchObject({ rows: 630 });
    await writer.close();
    await reader.close();
  });

  it('is in a transaction or not at all', async () => {
    const options = await fresh();
    const { db, close } = await openDatabase(options);
    await fill(db, 2);
    const trial = db.transaction().execute(async (tx) => {
      await appendAudit(tx, entry({ target: 'undone' }));
      await appendAudit(tx, entry({ target: 'undone' }));
      throw new Undo();
    });
    await expect(trial).rejects.toThrow(Undo);
    await appendAudit(db, entry({ target: 'third' }));
    expect((await rows(db)).map(({ seq, target }) => [seq, target])).toEqual([
      [1, 'key_0'],
      [2, 'key_1'],
      [3, 'third'],
    ]);
    expect(await verifyAudit(db)).toMatchObject({ rows: 3 });
    await close();
  });

  const changes = {
    update: "update audit_log set actor = 'nobody' where seq = 1",
    delete: 'delete from audit_log where seq = 1',
    upsert:
      'insert into audit_log select * from audit_log where true on conflict (seq) do update set actor = excluded.hash',
    ...(kind === 'postgres'
      ? { truncate: 'truncate audit_log' }
      : { replace: 'insert or replace into audit_log select * from audit_log where seq = 1' }),
  };
  it.each(Object.entries(changes))('is only appended to: no %s', async (_, statement) => {
    await appendAudit(database.db, entry());
    const before = await rows(database.db);
    await expect(sql.raw(statement).execute(database.db)).rejects.toThrow('the audit log is append-only');
    expect(await rows(database.db)).toEqual(before);
  });

  it('takes any text, the same on both databases', async () => {
    const bad = 'a\0b\ud800c\udc00';
    const kept = 'a\ufffdb\ufffdc\ufffd';
    const texts = { owner: bad, actor: bad, credential: bad, target: bad, address: bad, requestId: bad };
    await appendAudit(database.db, entry({ ...texts, at: bad, action: bad, details: { [bad]: [bad, '🦀'] } }));
    const clean = { owner: kept, actor: kept, credential: kept, target: kept, address: kept, requestId: kept };
    expect(await newest()).toMatchObject({ ...clean, at: kept, action: kept, details: { [bad]: [bad, '🦀'] } });
    expect(await listAudit(database.db, { limit: 9, owner: bad, actor: bad, target: bad, action: bad })).toMatchObject({
      entries: [clean],
      nextBefore: null,
    });
    expect(await verifyAudit(database.db)).toHaveProperty('rows');
  });

  it('cuts what is too long, and no character in two', async () => {
    const long = `${'x'.repeat(198)}🦀${'y'.repeat(10_000_000)}`;
    const texts = { owner: long, actor: long, credential: long, address: long, requestId: long };
    await appendAudit(database.db, entry({ ...texts, target: long, details: { long, last: 1 } }));
    const written = await newest();
    const name = `${'x'.repeat(198)}\ufffd…`;
    expect(written).toMatchObject({ owner: name, actor: name, credential: name, address: name, requestId: name });
    expect(written?.target).toBe(`${'x'.repeat(198)}🦀${'y'.repeat(299)}…`);
    expect(written?.details).toEqual({ cut: JSON.stringify({ long }).slice(0, 4000) });
    const exact = { owner: 'x'.repeat(200), target: 'y'.repeat(500), details: { a: 'z'.repeat(3992) } };
    await appendAudit(database.db, entry(exact));
    expect(await newest()).toMatchObject(exact);
    expect(await verifyAudit(database.db)).toHaveProperty('rows');
  });

  it('stores the time it was given, or now, and no details as none', async () => {
    const { details: _, ...plain } = entry({ at: '2026-01-02T03:04:05.678Z' });
    await appendAudit(database.db, plain);
    expect(await newest()).toMatchObject({ at: '2026-01-02T03:04:05.678Z', details: {} });
    await appendAudit(database.db, entry());
    expect((await newest())?.at).toMatch(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('takes nothing more when its head is gone', async () => {
    const { db, close } = await openDatabase(await fresh());
    await fill(db, 2);
    await dropTriggers(db);
    await db.deleteFrom('audit_head').execute();
    await expect(appendAudit(db, entry())).rejects.toThrow('the head of the audit log is missing');
    expect(await rows(db)).toHaveLength(2);
    await close();
  });
}
