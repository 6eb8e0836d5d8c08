import { type Kysely, sql } from 'kysely';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type AuditVerdict, verifyAudit } from '../../src/audit/verify.ts';
import { type AuditHead, readAudit } from '../../src/storage/audit.ts';
import { type AuditRow, hashOf } from '../../src/storage/audit-chain.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import type { Schema } from '../../src/storage/schema.ts';
import type { FreshDatabase } from '../storage/suite/backend.ts';
import { dropTriggers, fill } from './log.ts';

/** More than are read at once, which is 500. */
const ROWS = 600;
const SOME = [1, 2, 300, 500, 501, ROWS];
const COLUMNS = [
  'at',
  'owner',
  'actor',
  'credential',
  'action',
  'target',
  'outcome',
  'address',
  'request_id',
  'details',
  'hash',
] as const satisfies (keyof AuditRow)[];

export function tamperTests(kind: Database['kind'], fresh: FreshDatabase): void {
  let db: Kysely<Schema>;
  let close: () => Promise<void>;
  let whole: AuditVerdict;
  let rows: AuditRow[];
  const rowOf = (seq: number): AuditRow => rows[seq - 1]!;
  const change = (seq: number, set: Partial<AuditRow>) =>
    db.updateTable('audit_log').set(set).where('seq', '=', seq).execute();
  const remove = (from: number, to: number) =>
    db.deleteFrom('audit_log').where('seq', '>=', from).where('seq', '<=', to).execute();
  const run = (text: string) => sql.raw(text).execute(db);
  const bad = async (noted?: AuditHead) => {
    const verdict = await verifyAudit(db, noted);
    return 'reason' in verdict ? verdict.badSeq : verdict;
  };

  beforeAll(async () => {
    const database = await openDatabase(await fresh());
    ({ db, close } = database);
    await fill(db, ROWS);
    await dropTriggers(db);
    rows = await readAudit(db, 0, ROWS);
    whole = { rows: ROWS, head: { seq: ROWS, hash: rowOf(ROWS).hash } };
    await run('create table kept_log as select * from audit_log');
    await run('create table kept_head as select * from audit_head');
  });

  afterEach(async () => {
    for (const table of ['log', 'head']) {
      await run(`delete from audit_${table}`);
      await run(`insert into audit_${table} select * from kept_${table}`);
    }
    expect(await verifyAudit(db)).toEqual(whole);
  });

  afterAll(() => close());

  it('covers every column', () => {
    expect(Object.keys(rowOf(1)).toSorted()).toEqual(['seq', ...COLUMNS].toSorted());
  });

  describe.each(COLUMNS)('a changed %s', (column) => {
    it.each(SOME)('of row %i', async (seq) => {
      const text = rowOf(seq)[column];
      const flip = (at: number) =>
        text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
      for (const changed of [flip(0), flip(text.length - 1), `${text} `, '']) {
        await change(seq, { [column]: changed });
        expect(await verifyAudit(db)).toEqual({ badSeq: seq, reason: 'its content does not fit its hash' });
        await change(seq, { [column]: text });
      }
      expect(await verifyAudit(db)).toEqual(whole);
    });
  });

  it.each(SOME)('a changed number of row %i', async (seq) => {
    const bigs = ['4611686018427387904', '9007199254740992', '-9007199254740993'];
    for (const number of [`${ROWS + 1}`, `${seq + 4096}`, '0', '-1', ...bigs]) {
      await run(`update audit_log set seq = ${number} where seq = ${seq}`);
      expect(await bad(), number).toBe(seq);
      await run(`update audit_log set seq = ${seq} where seq = ${number}`);
    }
  });

  it.each(SOME)('row %i removed', async (seq) => {
    await remove(seq, seq);
    expect(await verifyAudit(db)).toMatchObject({ badSeq: seq, reason: expect.stringMatching(/^it is missing/) });
  });

  it('all rows removed', async () => {
    await remove(1, ROWS);
    expect(await bad()).toBe(1);
  });

  it.each([
    [1, 2],
    [300, 301],
    [500, 501],
    [ROWS - 1, ROWS],
    [1, ROWS],
  ])('rows %i and %i swapped, with and without their hashes', async (one, other) => {
    for (const [seq, from] of [
      [one, other],
      [other, one],
    ] as const) {
      await change(seq, { ...rowOf(from), seq });
    }
    expect(await bad()).toBe(one);
    for (const seq of [one, other]) await change(seq, { hash: rowOf(seq).hash });
    expect(await bad()).toBe(one);
  });

  it.each([0, -1, -(2 ** 53), 2 ** 53, 2 ** 60, ROWS + 1, ROWS + 2])('a row inserted as number %d', async (seq) => {
    await db
      .insertInto('audit_log')
      .values({ ...rowOf(1), seq: ROWS + 1 })
      .execute();
    await run(`update audit_log set seq = ${BigInt(seq)} where seq = ${ROWS + 1}`);
    expect(await bad()).toBe(ROWS + 1);
  });

  it('a row appended that fits, but that the head does not know', async () => {
    const row = { ...rowOf(1), seq: ROWS + 1 };
    await db
      .insertInto('audit_log')
      .values({ ...row, hash: hashOf(rowOf(ROWS).hash, row) })
      .execute();
    expect(await bad()).toBe(ROWS + 1);
  });

  it.each(SOME)('a row inserted as number %i, with those behind it moved up', async (seq) => {
    const insert = async (hash: string) => {
      await run(`update audit_log set seq = -seq - 1 where seq >= ${seq}`);
      await run('update audit_log set seq = -seq where seq < 0');
      await db
        .insertInto('audit_log')
        .values({ ...rowOf(seq), seq, target: 'forged', hash })
        .execute();
      await db
        .updateTable('audit_head')
        .set({ seq: ROWS + 1 })
        .execute();
    };
    await insert(rowOf(seq).hash);
    expect(await bad()).toBe(seq);
    // One that fits what is before it: then what is behind it does not.
    await change(seq, { hash: hashOf(seq === 1 ? '' : rowOf(seq - 1).hash, { ...rowOf(seq), target: 'forged' }) });
    expect(await bad()).toBe(seq + 1);
  });

  it.each<[string, number]>([
    ['seq = 599', ROWS],
    ['seq = 1', 2],
    ['seq = 0', 1],
    ['seq = -7', 1],
    ['seq = 601', ROWS + 1],
    ['seq = 4611686018427387904', ROWS + 1],
    ["hash = ''", ROWS],
    ["hash = 'f' || substr(hash, 2) || ' '", ROWS],
    ['id = 2', ROWS + 1],
    ...(kind === 'sqlite' ? ([["seq = 'many'", ROWS + 1]] satisfies [string, number][]) : []),
  ])('the head changed: %s', async (set, seq) => {
    await run(`update audit_head set ${set}`);
    expect(await bad()).toBe(seq);
  });

  it('the head removed, also from a log without rows', async () => {
    await run('delete from audit_head');
    expect(await bad()).toBe(ROWS + 1);
    await remove(1, ROWS);
    expect(await bad()).toBe(1);
  });

  it('the end cut off, and the head left or removed', async () => {
    await remove(591, ROWS);
    expect(await bad()).toBe(591);
    await run('delete from audit_head');
    expect(await bad()).toBe(591);
  });

  it('the end cut off and the head set back: only a noted head tells', async () => {
    const cutOff = async (at: number) => {
      await remove(at, ROWS);
      await db
        .updateTable('audit_head')
        .set({ seq: at - 1, hash: at === 1 ? '' : rowOf(at - 1).hash })
        .execute();
    };
    await cutOff(591);
    expect(await bad()).toEqual({ rows: 590, head: { seq: 590, hash: rowOf(590).hash } });
    expect(await bad({ seq: 590, hash: rowOf(590).hash })).toHaveProperty('rows');
    expect(await bad({ seq: 591, hash: rowOf(591).hash })).toBe(591);
    expect(await bad({ seq: ROWS, hash: rowOf(ROWS).hash })).toBe(591);
    await cutOff(1);
    expect(await bad()).toEqual({ rows: 0, head: { seq: 0, hash: '' } });
    expect(await bad({ seq: 1, hash: rowOf(1).hash })).toBe(1);
  });

  it('all rewritten from a row on, with its head: only a noted head tells', async () => {
    const notes = [299, 300, 599, ROWS].map((seq) => ({ seq, hash: rowOf(seq).hash }));
    let { hash } = rowOf(299);
    for (let seq = 300; seq <= ROWS; seq++) {
      const row = { ...rowOf(seq), ...(seq === 300 ? { actor: 'usr_other' } : {}) };
      hash = hashOf(hash, row);
      await change(seq, { ...row, hash });
    }
    await db.updateTable('audit_head').set({ hash }).execute();
    expect(await bad()).toEqual({ rows: ROWS, head: { seq: ROWS, hash } });
    expect(await Promise.all(notes.map(bad))).toEqual([{ rows: ROWS, head: { seq: ROWS, hash } }, 300, 599, ROWS]);
  });

  it('says nothing of a noted head that fits', async () => {
    for (const seq of [1, 500, ROWS]) expect(await verifyAudit(db, { seq, hash: rowOf(seq).hash })).toEqual(whole);
    expect(await verifyAudit(db, { seq: 0, hash: '' })).toEqual(whole);
  });

  it.runIf(kind === 'sqlite')('the same bytes as another type', async () => {
    for (const column of COLUMNS) {
      await run(`update audit_log set ${column} = cast(${column} as blob) where seq = 300`);
      expect(await bad(), column).toBe(300);
      await change(300, rowOf(300));
    }
    for (const number of ["'300x'", '300.5', "x'00'"]) {
      await run(`update audit_log set seq = ${number} where seq = 300`);
      expect(await bad(), number).toBe(300);
      await run(`update audit_log set seq = 300 where seq = ${number}`);
    }
  });
}
