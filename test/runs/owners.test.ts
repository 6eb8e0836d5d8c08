import { beforeAll, describe, expect, it } from 'vitest';
import { onBothDatabases, type Rig } from '../access/rig.ts';
import type { Visitor } from '../access/visitor.ts';
import type { Json } from '../server.ts';

// A run belongs to its conversation's owner: to others it is not there, whatever they know of it.

const WRITE = '/tool write_file {"path": "owners.txt", "content": "x"}\n/next\n/say Done';
const CHAT = '/api/chat';

onBothDatabases((start) => {
  let rig: Rig;
  let olga: Visitor;
  let otto: Visitor;
  /** Olga's run, which waits for her. */
  let run: string;
  let asked: Json;

  async function conversation(of: Visitor): Promise<string> {
    return (await of.must('POST', `${CHAT}/conversations`, { model: 'demo' })).conversation.id;
  }

  async function writing(of: Visitor): Promise<Json> {
    const path = `${CHAT}/conversations/${await conversation(of)}/messages/with-tools`;
    return await of.must('POST', path, { content: WRITE });
  }

  beforeAll(async () => {
    rig = await start();
    olga = (await rig.owner()).browser;
    otto = (await rig.join(olga, 'otto')).browser;
    const answer = await writing(olga);
    run = answer.runId;
    [asked] = answer.pendingApprovals;
    expect(asked.toolName).toBe('write_file');
  });

  it.each([
    ['read', 'GET', ''],
    ['watched', 'GET', '/events'],
    ['cancelled', 'POST', '/cancel', {}],
    ['talked to', 'POST', '/messages', { content: 'Hi' }],
  ])('is not %s by others', async (_, method, end, body?: object) => {
    const answer = await otto.send(method, `${CHAT}/runs/${run}${end}`, body);
    const unknown = await otto.send(method, `${CHAT}/runs/run_x${end}`, body);
    expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
    expect(answer.body.error.replace(run, 'run_x')).toBe(unknown.body.error);
  });

  it('is in nobody else’s lists', async () => {
    const lists = ['runs', 'approvals', `runs?conversationId=${asked.conversationId}`, 'approvals?status=pending'];
    for (const list of lists) expect(JSON.stringify((await otto.get(`${CHAT}/${list}`)).body)).not.toContain(run);
    expect(JSON.stringify((await olga.get(`${CHAT}/runs`)).body)).toContain(run);
  });

  it('nobody else answers what it asks', async () => {
    for (const conversationId of [asked.conversationId, await conversation(otto)]) {
      const given = { conversationId, approvalId: asked.id, decision: 'allow-always' };
      const answer = await otto.post(`${CHAT}/tools/approve`, given);
      expect([answer.status, answer.body.code]).toEqual([404, 'approval_not_found']);
    }
    expect((await olga.must('GET', `${CHAT}/runs/${run}`)).run.status).toBe('waiting_approval');
  });

  describe('when she has answered', () => {
    let answered: Json;
    beforeAll(async () => {
      const given = { conversationId: asked.conversationId, approvalId: asked.id, decision: 'allow-always' };
      answered = await olga.must('POST', `${CHAT}/tools/approve`, { ...given, scope: 'user' });
    });

    it('it is done, under her name', async () => {
      expect(answered).toMatchObject({ success: true, run: { id: run, status: 'completed' } });
      const { approvals } = (await olga.must('GET', `${CHAT}/runs/${run}`)).run;
      const { user } = await olga.must('GET', '/api/auth/me');
      expect(approvals).toMatchObject([{ status: 'allowed', decidedBy: user.id }]);
    });

    it('her rule is for her alone', async () => {
      expect((await writing(olga)).finishReason).toBe('stop');
      expect((await writing(otto)).finishReason).toBe('approval-required');
    });
  });

  it('a key needs the scope `tools`', async () => {
    const { program } = await rig.withKey(olga, { scopes: ['chat', 'conversations:read'] });
    const path = `${CHAT}/conversations/${await conversation(olga)}`;
    for (const [method, url, body] of [
      ['POST', `${path}/messages/with-tools`, { content: 'x' }],
      ['POST', `${path}/messages/agentic`, { content: 'x' }],
      ['POST', `${CHAT}/runs/${run}/cancel`, {}],
      ['POST', `${CHAT}/runs/${run}/messages`, { content: 'x' }],
      ['POST', `${CHAT}/tools/approve`, { conversationId: 'x', approvalId: 'x', decision: 'deny' }],
    ] as const) {
      const answer = await program.send(method, url, body);
      expect([url, answer.status, answer.body.code]).toEqual([url, 403, 'forbidden']);
    }
    expect((await program.get(`${CHAT}/runs/${run}`)).status).toBe(200);
  });
});
