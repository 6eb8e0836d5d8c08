import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type AuditFilter, appendAudit, listAudit } from '../../src/storage/audit.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import type { FreshDatabase } from '../storage/suite/backend.ts';
import { dropTriggers, entry } from './log.ts';

export function listTests(fresh: FreshDatabase): void {
  let database: Database;
  beforeAll(async () => {
    database = await openDatabase(await fresh());
    for (let i = 1; i <= 12; i++) {
      const action = i % 3 === 0 ? 'key.revoke' : 'key.create';
      await appendAudit(database.db, entry({ owner: `o${i % 2}`, actor: `a${i % 4}`, action, target: `t${i % 6}` }));
    }
  });
  afterAll(() => database.close());

  const seqs = async (filter: AuditFilter) => {
    const { entries, nextBefore } = await listAudit(database.db, filter);
    return [entries.map(({ seq }) => seq), nextBefore];
  };

  it('gives whole entries', async () => {
    const { entries } = await listAudit(database.db, { limit: 1 });
    expect(entries).toEqual([
      {
        seq: 12,
        at: expect.any(String),
        owner: 'o0',
        actor: 'a0',
        credential: 'key_1',
        action: 'key.revoke',
        target: 't0',
        outcome: 'done',
        address: '192.0.2.7',
        requestId: 'req_1',
        details: { name: 'Änne' },
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  it.each<[AuditFilter, number[], number | null]>([
    [{ limit: 4 }, [12, 11, 10, 9], 9],
    [{ limit: 4, before: 9 }, [8, 7, 6, 5], 5],
    [{ limit: 4, before: 5 }, [4, 3, 2, 1], null],
    [{ limit: 4, before: 1 }, [], null],
    [{ limit: 200, before: Number.MAX_SAFE_INTEGER }, [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1], null],
    [{ limit: 9, owner: 'o1' }, [11, 9, 7, 5, 3, 1], null],
    [{ limit: 9, actor: 'a1' }, [9, 5, 1], null],
    [{ limit: 9, action: 'key.revoke' }, [12, 9, 6, 3], null],
    [{ limit: 9, target: 't3' }, [9, 3], null],
    [{ limit: 1, target: 't3' }, [9], 9],
    [{ limit: 1, target: 't3', before: 9 }, [3], null],
    [{ limit: 9, action: 'key.revoke', owner: 'o0', actor: 'a0', target: 't0' }, [12], null],
    [{ limit: 9, action: 'key.revoke', owner: 'o1', actor: 'a0' }, [], null],
    [{ limit: 9, owner: 'O1' }, [], null],
  ])('lists the newest first: %j', async (filter, expected, nextBefore) => {
    expect(await seqs(filter)).toEqual([expected, nextBefore]);
  });

  it('finds what lies far back, also where rows are missing', async () => {
    const { db, close } = await openDatabase(await fresh());
    await sql`insert into audit_log (seq, at, owner, actor, credential, action, target, outcome, address, request_id, details, hash)
      with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 16000)
      select n, '', '', '', '', '', case when n in (1, 2, 6000, 11001, 16000) then 'rare' else '' end, '', '', '', 'x', ''
      from numbers`.execute(db);
    await dropTriggers(db);
    await db.deleteFrom('audit_log').where('seq', '>', 6000).where('seq', '<', 11_000).execute();
    const rare = async (filter: AuditFilter) => {
      const { entries, nextBefore } = await listAudit(db, { ...filter, target: 'rare' });
      return [entries.map(({ seq }) => seq), nextBefore];
    };
    expect(await rare({ limit: 9 })).toEqual([[16_000, 11_001, 6000, 2, 1], null]);
    expect(await rare({ limit: 3 })).toEqual([[16_000, 11_001, 6000], 6000]);
    expect(await rare({ limit: 4, before: 16_000 })).toEqual([[11_001, 6000, 2, 1], null]);
    expect(await listAudit(db, { limit: 1, before: 2 })).toMatchObject({ entries: [{ seq: 1, details: {} }] });
    await close();
  });
}
