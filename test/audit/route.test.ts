import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendAudit } from '../../src/storage/audit.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { entry } from './log.ts';

describe('GET /api/audit', () => {
  let server: TestServer;
  const list = (query = '') => server.call(`/api/audit${query}`);

  beforeAll(async () => {
    server = await startTestServer();
    const { db, close } = await openDatabase({ file: join(server.home, 'profclaw.db') });
    for (let i = 1; i <= 60; i++) {
      const action = i % 20 === 0 ? 'key.revoke' : 'key.create';
      await appendAudit(db, entry({ owner: `o${i % 2}`, actor: `a${i % 3}`, action, target: `t${i % 4}` }));
    }
    await close();
  });
  afterAll(() => server.stop());

  it('gives fifty, and the rest after them', async () => {
    const { status, body } = await list();
    expect([status, body.entries.length, body.nextBefore]).toEqual([200, 50, 11]);
    expect(body.entries[0]).toEqual({
      seq: 60,
      at: expect.stringMatching(/Z$/),
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
    });
    const { body: rest } = await list(`?before=${body.nextBefore}`);
    expect([rest.entries.length, rest.entries.at(-1).seq, rest.nextBefore]).toEqual([10, 1, null]);
  });

  it.each([
    ['?limit=2', [60, 59], 59],
    ['?limit=200&action=key.revoke', [60, 40, 20], null],
    ['?limit=2&actor=a1&owner=o0&target=t0', [52, 40], 40],
    ['?target=none%00%ed%a0%80', [], null],
    ['?before=9007199254740991&limit=1', [60], 60],
  ])('narrows it down by %s', async (query, seqs, nextBefore) => {
    const { status, body } = await list(query);
    expect([status, body.nextBefore]).toEqual([200, nextBefore]);
    expect(body.entries.map(({ seq }: { seq: number }) => seq)).toEqual(seqs);
  });

  it.each(['limit=0', 'limit=201', 'before=0', 'before=x', 'before=1e300', 'action=key.steal', 'since=1'])(
    'refuses %s',
    async (query) => {
      const { status, body } = await list(`?${query}`);
      expect([status, body.code]).toEqual([400, 'invalid_request']);
      expect(body.details.issues).toHaveLength(1);
    },
  );

  it('has what a request does', async () => {
    const { body } = await server.call('/api/tasks', { title: 'T', prompt: 'P' });
    const deleted = await server.call(`/api/tasks/${body.task.id}`, undefined, { method: 'DELETE' });
    expect(deleted.status).toBe(200);
    const { entries } = (await list('?limit=1')).body;
    expect(entries).toMatchObject([
      { actor: 'local', action: 'task.delete', target: body.task.id, requestId: deleted.headers.get('x-request-id') },
    ]);
  });
});
