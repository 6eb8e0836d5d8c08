import { beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../server.ts';
import { begin, type Talk } from '../turns/rig.ts';
import { must, onBothDatabases, type Reply, type RunRig, withTools } from './rig.ts';

// `allow-always` allows exactly this call, here or everywhere, from then on.

onBothDatabases((start) => {
  let rig: RunRig;
  beforeAll(async () => {
    rig = await start();
  });

  /** The status of a call in a conversation; a question about it is dropped. */
  async function tried(talk: Talk, name: string, given: object, more: object = {}): Promise<string> {
    const replies: Reply[] = [[[name, given]], 'Done'];
    const model = await rig.talk(...replies);
    const answer = await must(withTools(talk, 'Go', { model: model.model.name, ...more }));
    if (answer.finishReason === 'approval-required') await must(rig.cancel(answer.runId));
    return answer.toolCalls[0].status;
  }

  /** A conversation in which such a call was allowed. */
  async function allowed(name: string, given: object, more: object = {}): Promise<Talk> {
    const { talk } = await rig.talk([[name, given]], 'Done');
    const { pendingApprovals } = await must(withTools(talk, 'Go'));
    expect(await must(rig.approve(pendingApprovals[0], 'allow-always', more))).toMatchObject({ success: true });
    return talk;
  }

  it('the same call runs without asking, whatever the order of its arguments', async () => {
    const talk = await allowed('change', { what: 'same' });
    expect(await tried(talk, 'change', { what: 'same' })).toBe('success');
    expect(await tried(talk, 'change', { what: 'same' }, { securityMode: 'allowlist' })).toBe('success');
  });

  it('no other call does: other arguments, another tool', async () => {
    const talk = await allowed('change', { what: 'this' });
    expect(await tried(talk, 'change', { what: 'this ' })).toBe('pending');
    expect(await tried(talk, 'launch', { what: 'this' })).toBe('pending');
    expect(await tried(talk, 'change', { what: 'that' }, { securityMode: 'allowlist' })).toBe('denied');
  });

  it('it counts in its conversation only', async () => {
    await allowed('change', { what: 'here' });
    expect(await tried(await begin(rig.server, 'demo'), 'change', { what: 'here' })).toBe('pending');
  });

  it('or, if that is said, in all of one’s own, later ones too', async () => {
    const before = await begin(rig.server, 'demo');
    await allowed('change', { what: 'everywhere' }, { scope: 'user' });
    for (const talk of [before, await begin(rig.server, 'demo')])
      expect(await tried(talk, 'change', { what: 'everywhere' })).toBe('success');
  });

  it('it does not count in the modes that allow nothing of the kind', async () => {
    const talk = await allowed('launch', { what: 'inside' });
    expect(await tried(talk, 'launch', { what: 'inside' }, { securityMode: 'sandbox' })).toBe('denied');
    expect(await tried(talk, 'launch', { what: 'inside' }, { securityMode: 'deny' })).toBe('error');
  });

  it('of edited arguments it is the edited call that is allowed', async () => {
    const talk = await allowed('change', { what: 'meant' }, { editedArguments: { what: 'said' } });
    expect(await tried(talk, 'change', { what: 'said' })).toBe('success');
    expect(await tried(talk, 'change', { what: 'meant' })).toBe('pending');
  });

  it('it holds for what comes next in the same run', async () => {
    const call: Reply = [['launch', { what: 'again' }]];
    const { talk } = await rig.talk(call, call, 'Twice');
    const { pendingApprovals } = await must(withTools(talk, 'Go'));
    const answer = await must(rig.approve(pendingApprovals[0], 'allow-always'));
    expect(answer).toMatchObject({ success: true, run: { status: 'completed' }, message: { content: 'Twice' } });
    const { toolCalls } = await rig.run(answer.run.id);
    expect(toolCalls.map(({ status }: Json) => status)).toEqual(['success', 'success']);
  });

  it('it goes with its conversation', async () => {
    const talk = await allowed('change', { what: 'gone' });
    const count = async () =>
      (await rig.db.selectFrom('tool_rules').select('id').where('match', 'like', '%gone%').execute()).length;
    expect(await count()).toBe(1);
    await must(rig.server.call(talk.path, undefined, { method: 'DELETE' }));
    await expect.poll(count).toBe(0);
  });

  describe('a rule that denies wins', () => {
    it.each(['ask', 'allowlist', 'full'])('in the mode %s', async (securityMode) => {
      const given = { what: `denied in ${securityMode}` };
      const talk = await allowed('change', given);
      const deny = { tool: 'change', match: { arguments: given }, action: 'deny' };
      await must(rig.server.call('/api/chat/tools/rules', deny));
      expect(await tried(talk, 'change', given, { securityMode })).toBe('denied');
    });
  });
});
