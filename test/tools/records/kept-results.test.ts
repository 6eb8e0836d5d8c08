import { sql } from 'kysely';
import { beforeAll, describe, expect, it } from 'vitest';
import { removeDeletedAccounts } from '../../../src/storage/owners.ts';
import { onBothDatabases, type Rig } from '../../access/rig.ts';
import type { Visitor } from '../../access/visitor.ts';
import type { Json } from '../../server.ts';

// A long result is its owner's: to others it is not there, and it goes with the account.

const CONVERSATIONS = '/api/chat/conversations';
const RESULTS = '/api/chat/tools/results';
const TODOS = Array.from({ length: 100 }, (_, i) => ({ content: `${i} `.padEnd(400, 'x'), status: 'pending' }));

onBothDatabases((start) => {
  let rig: Rig;
  let olga: Visitor;
  let otto: Visitor;
  let ottosId: string;
  /** Otto's. */
  let call: Json;

  async function asking(visitor: Visitor, content: string): Promise<Json> {
    const { conversation } = await visitor.must('POST', CONVERSATIONS, { model: 'demo' });
    const path = `${CONVERSATIONS}/${conversation.id}/messages/with-tools`;
    return (await visitor.must('POST', path, { content })).toolCalls[0];
  }

  beforeAll(async () => {
    rig = await start();
    olga = (await rig.owner()).browser;
    const joined = await rig.join(olga, 'otto');
    otto = joined.browser;
    ottosId = joined.user.id;
    call = await asking(otto, `/tool todo_write ${JSON.stringify({ todos: TODOS })}`);
    expect(call.result).toContain(`read_result with the id ${call.resultId}`);
  });

  it('is read by its owner', async () => {
    const { body } = await otto.get(`${RESULTS}/${call.resultId}`);
    expect(body).toMatchObject({ id: call.resultId, offset: 0, nextOffset: null });
    expect(body.text).toMatch(/^0 of 100 are done:\n\[ \] 0 x+\n/);
    expect(body.text).toHaveLength(body.total);
  });

  it('is not there for others, also not for an admin, who is told the same as of what there is not', async () => {
    const answer = await olga.get(`${RESULTS}/${call.resultId}`);
    const unknown = await olga.get(`${RESULTS}/result_x`);
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
    expect(answer.body.error.replace(call.resultId, 'result_x')).toBe(unknown.body.error);
    expect((await olga.get(`${RESULTS}/${call.resultId.toUpperCase()}`)).status).toBe(404);
  });

  it('nor for what a model of others calls', async () => {
    const tried = await asking(olga, `/tool read_result ${JSON.stringify({ id: call.resultId })}`);
    expect(tried).toMatchObject({ status: 'error', result: expect.stringMatching(/^This conversation has no result/) });
  });

  it.each([
    ['conversations:read', 200],
    ['chat', 403],
    ['tools', 403],
  ])('a key with the scope %s gets %i', async (scope, status) => {
    const { program } = await rig.withKey(otto, { scopes: [scope] });
    expect((await program.get(`${RESULTS}/${call.resultId}`)).status).toBe(status);
  });

  it.each(['offset=-1', 'limit=0', 'limit=100001', 'offset=x', 'from=1'])('refuses %s', async (query) => {
    expect((await otto.get(`${RESULTS}/${call.resultId}?${query}`)).status).toBe(400);
  });

  describe('when its account is deleted', () => {
    it('is not there any more, and nothing is left of it', async () => {
      await olga.must('DELETE', `/api/users/${ottosId}`);
      expect((await otto.get(`${RESULTS}/${call.resultId}`)).status).toBe(401);
      // What a late request has left, of a conversation that is gone.
      const { id } = await rig.db.selectFrom('tool_results').select('id').executeTakeFirstOrThrow();
      await sql`insert into tool_results select 'result_late', owner, 999999, 1, created_at, 'late'
        from tool_results where id = ${id}`.execute(rig.db);
      for (let i = 0; i < 3; i++) await removeDeletedAccounts(rig.db, 100);
      expect(await rig.db.selectFrom('tool_results').select('id').execute()).toEqual([]);
    });
  });
});
